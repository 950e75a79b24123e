import * as v from "valibot";
import { defineTool, READS } from "./define.ts";

export const authenticate = defineTool({
  name: "authenticate",
  description: "Tells who is signed in, with which permissions, and which tools lack one.",
  scopes: [],
  annotations: { ...READS, openWorldHint: false },
  input: v.strictObject({}),
  answer: v.unknown(),
  output: v.object({ authenticated: v.boolean() }),
  build: () => undefined,
  present: (_answers, _args, { session }) => ({
    text: `Authentication is handled automatically by the OAuth provider: ${session.user.displayName} is signed in. Sign in again for more permissions.`,
    structured: { authenticated: true, ...session },
  }),
});
