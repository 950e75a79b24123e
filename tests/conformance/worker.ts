// The product with another catalogue: the suite's fixtures, for a caller who is signed in. Routing, origin rules,
// headers, transport, classification and dispatch are those of `src`.
import { answerPost } from "../../src/mcp/streamable-http.ts";
import { type Exchange, ROUTES } from "../../src/routes.ts";
import { callFixture, FIXTURES } from "./catalog.ts";

export { default, MicrosoftMCPAgent } from "../../src/worker.ts";

Object.assign(ROUTES["/mcp"]?.methods ?? {}, {
  POST: ({ request, requestId, origin, log }: Exchange) =>
    answerPost(request, {
      caller: { kind: "signed-in", call: callFixture },
      catalog: FIXTURES,
      challenge: () => ({ wwwAuthenticate: "Bearer", authorizationEndpoint: origin, resourceMetadata: origin }),
      misconfigured: [],
      requireAuthOnInitialize: false,
      requestId,
      fault: (error) => log({ level: "ERROR", message: "unexpected fault", error: String(error) }),
    }),
});
