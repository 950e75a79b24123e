// The product with another catalogue: the suite's fixtures, for a caller who is signed in. Routing, origin rules,
// headers, transport, classification and dispatch are those of `src`. Metadata differs in one list; see below.

import { answerPost } from "../../src/mcp/streamable-http.ts";
import { authorizationServerMetadata } from "../../src/oauth/metadata.ts";
import { type Exchange, ROUTES } from "../../src/routes.ts";
import { callFixture, FIXTURES } from "./catalog.ts";

export { default, MicrosoftMCPAgent } from "../../src/worker.ts";

Object.assign(ROUTES["/mcp"]?.methods ?? {}, {
  POST: ({ request, requestId, origin, log }: Exchange) =>
    answerPost(request, {
      caller: { kind: "signed-in", call: callFixture },
      catalog: FIXTURES,
      challenge: () => ({ wwwAuthenticate: "Bearer", authorization_endpoint: origin, resource_metadata: origin }),
      misconfigured: [],
      requireAuthOnInitialize: false,
      requestId,
      fault: (error) => log({ level: "ERROR", message: "unexpected fault", error: String(error) }),
    }),
});

// The suite uses a client's secret only where the metadata does not list `none`.
Object.assign(ROUTES["/.well-known/oauth-authorization-server"]?.methods ?? {}, {
  GET: ({ origin }: Exchange) =>
    Response.json({
      ...authorizationServerMetadata(origin, []),
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
    }),
});
