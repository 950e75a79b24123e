import * as v from "valibot";
import { defineTool, READS } from "./define.ts";

export const authenticate = defineTool({
  name: "authenticate",
  title: "Check the sign-in",
  description:
    "Tells who is signed in, which permissions were granted and which tools lack one. Asks nothing of Microsoft.",
  scopes: [],
  annotations: { ...READS, openWorldHint: false },
  input: v.strictObject({}),
  answer: v.unknown(),
  output: v.object({ authenticated: v.boolean() }),
  build: () => undefined,
  present: (_answers, _args, { session }) => ({
    text: `Authentication is handled automatically by the OAuth provider: ${session.user.displayName} is signed in. Missing permissions are granted by signing in again.`,
    structured: { authenticated: true, ...session },
  }),
});
