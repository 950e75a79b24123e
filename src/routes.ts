import type { Exchange, Route } from "./endpoints/exchange.ts";
import { health } from "./endpoints/health.ts";
import { landing } from "./endpoints/landing-page.ts";
import { mcpGet, mcpPost } from "./endpoints/mcp.ts";
import { CATALOGUE_SCOPES, oauth } from "./endpoints/oauth.ts";
import { json, PUBLIC_DOCUMENT } from "./http/responses.ts";
import { describeServer } from "./mcp/server-info.ts";
import { decideApproval } from "./oauth/approval.ts";
import { showApproval } from "./oauth/authorize.ts";
import { completeSignIn } from "./oauth/callback.ts";
import { authorizationServerMetadata, openidConfiguration, protectedResourceMetadata } from "./oauth/metadata.ts";
import { revokePerson } from "./oauth/operator.ts";
import { register } from "./oauth/registration.ts";
import { revoke } from "./oauth/revocation.ts";
import { token } from "./oauth/token.ts";

export type { Exchange, Route };

const document = (build: (origin: string) => object): Route => ({
  kind: "public-document",
  cors: "public",
  methods: { GET: ({ origin }) => json(200, build(origin), PUBLIC_DOCUMENT) },
});

const INFO = document(describeServer);
const MCP = { kind: "api", cors: "allowed-origins", methods: { GET: mcpGet, POST: mcpPost } } as const;
const AUTHORIZATION_SERVER = document((origin) => authorizationServerMetadata(origin, CATALOGUE_SCOPES));
const OPENID = document((origin) => openidConfiguration(origin, CATALOGUE_SCOPES));
const resource = (path: string) => document((origin) => protectedResourceMetadata(origin, path, CATALOGUE_SCOPES));

/** The public surface, all of it. */
export const ROUTES: { readonly [path: string]: Route } = {
  "/": { ...INFO, methods: { GET: landing } },
  "/info": INFO,
  "/health": { kind: "api", cors: "public", methods: { GET: health } },
  "/sse": MCP,
  "/mcp": MCP,
  "/sse/message": { kind: "api", cors: "allowed-origins", methods: { POST: mcpPost } },
  "/authorize": {
    kind: "page",
    cors: "none",
    methods: { GET: oauth(showApproval, "LIMIT_AUTHORIZE"), POST: oauth(decideApproval, "LIMIT_APPROVE") },
  },
  "/callback": { kind: "page", cors: "none", methods: { GET: oauth(completeSignIn, "LIMIT_APPROVE") } },
  "/register": { kind: "api", cors: "public", methods: { POST: oauth(register, "LIMIT_REGISTER") } },
  "/token": { kind: "api", cors: "public", methods: { POST: oauth(token, "LIMIT_TOKEN") } },
  "/revoke": { kind: "api", cors: "public", methods: { POST: oauth(revoke, "LIMIT_REVOKE") } },
  "/operator/revoke": {
    kind: "api",
    cors: "none",
    needs: "OPERATOR_TOKEN",
    methods: { POST: oauth(revokePerson, "LIMIT_REVOKE") },
  },
  "/.well-known/oauth-authorization-server": AUTHORIZATION_SERVER,
  "/.well-known/oauth-authorization-server/sse": AUTHORIZATION_SERVER,
  "/.well-known/oauth-authorization-server/mcp": AUTHORIZATION_SERVER,
  "/.well-known/openid-configuration": OPENID,
  "/.well-known/openid-configuration/sse": OPENID,
  "/.well-known/openid-configuration/mcp": OPENID,
  "/.well-known/jwks.json": document(() => ({ keys: [] })),
  "/.well-known/oauth-protected-resource": resource(""),
  "/.well-known/oauth-protected-resource/sse": resource("/sse"),
  "/.well-known/oauth-protected-resource/mcp": resource("/mcp"),
};
