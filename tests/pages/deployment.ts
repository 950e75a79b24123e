// The Worker as it is deployed, seen by a real browser: https everywhere, Microsoft and the client on other sites.
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { type Reply, readReply, textOf } from "../support/oauth-client.ts";
import { landing, listenPlainly, listenSecurely, type Site, type SiteRequest } from "./sites.ts";

export const HOST = "m365.contoso.example";
export const ORIGIN = `https://${HOST}`;
export const LOGIN = "https://login.microsoft.example";
/** Where an organisation that federates signs its people in. */
export const FEDERATION = "https://sts.fabrikam.example";
export const CLIENT = "https://client.example";
/** Somebody else's page. */
export const STRANGER = "https://stranger.example";

export interface Deployment {
  readonly stack: Stack;
  /** Names and ports for the browser. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Everything the browser sent, oldest first. */
  readonly seen: SiteRequest[];
  /** Stands between the Worker's answer and the browser: may keep it waiting or change it. */
  through: (request: SiteRequest, response: Response) => Promise<Response> | Response;
  /** What the stranger's page says. */
  strangerPage: string;
  /** Requests of the browser to one origin and path. */
  requestsTo(address: string): SiteRequest[];
  post(path: string, body: string, contentType: string): Promise<Reply>;
  register(metadata: Readonly<Record<string, unknown>>): Promise<string>;
  /** As it was in the beginning, for the next test. */
  calm(): void;
  close(): Promise<void>;
}

export async function startDeployment(): Promise<Deployment> {
  const seen: SiteRequest[] = [];
  const microsoft: Site = ({ method, url, headers, body }) => {
    const target = url.origin === FEDERATION ? stack.entra.federatedOrigin : stack.entra.origin;
    return relay(`${target}${url.pathname}${url.search}`, method, headers, body, (location) =>
      location.replace(stack.entra.federatedOrigin, FEDERATION).replace(stack.entra.origin, LOGIN),
    );
  };
  const worker: Site = async (request) => {
    const response = await visit(request.url.href, request.method, request.headers, request.body);
    return deployment.through(request, response);
  };
  const visit = async (url: string, method: string, headers: Headers, body: string): Promise<Response> => {
    const init = { method, headers: [...headers], redirect: "manual" as const, ...(method === "POST" && { body }) };
    const answer = await stack.mf.dispatchFetch(url, init);
    const copied = new Headers();
    for (const [name, value] of answer.headers) if (name !== "set-cookie") copied.append(name, value);
    for (const cookie of answer.headers.getSetCookie()) copied.append("set-cookie", cookie);
    return new Response(await answer.text(), { status: answer.status, headers: copied });
  };
  const watched =
    (site: Site): Site =>
    (request) => {
      seen.push(request);
      return site(request);
    };
  const sites: Readonly<Record<string, Site>> = {
    [ORIGIN]: worker,
    [LOGIN]: microsoft,
    [FEDERATION]: microsoft,
    [CLIENT]: landing,
    [STRANGER]: () => new Response(deployment.strangerPage, { headers: { "content-type": "text/html" } }),
  };
  const byHost = Object.entries(sites).map(([origin, site]) => [new URL(origin).host, watched(site)] as const);
  const front = await listenSecurely(Object.fromEntries(byHost));
  // The Worker's own way to Microsoft, which is no browser's.
  const backChannel = await listenPlainly(microsoft);
  const stack = await startStack({
    bindings: { WORKER_DOMAIN: HOST, PROTOCOL: "https", MICROSOFT_AUTHORITY: LOGIN },
    hosts: { [LOGIN]: `http://127.0.0.1:${backChannel.port}` },
  });
  stack.entra.idTokenClaims = (claims) => ({ ...claims, iss: String(claims.iss).replace(stack.entra.origin, LOGIN) });

  const deployment: Deployment = {
    stack,
    hosts: Object.fromEntries(byHost.map(([host]) => [host, front.port])),
    seen,
    through: (_, response) => response,
    strangerPage: "",
    requestsTo: (address) => seen.filter(({ url }) => url.origin + url.pathname === address),
    async post(path, body, contentType) {
      return readReply(await visit(`${ORIGIN}${path}`, "POST", new Headers({ "content-type": contentType }), body));
    },
    async register(metadata) {
      const body = JSON.stringify({ token_endpoint_auth_method: "none", ...metadata });
      return textOf((await deployment.post("/register", body, "application/json")).body, "client_id");
    },
    calm() {
      Object.assign(stack.entra, { hop: false, sessionEmail: undefined });
      deployment.through = (_, response) => response;
      seen.length = 0;
    },
    async close() {
      await Promise.all([stack.dispose(), front.close(), backChannel.close()]);
    },
  };
  return deployment;
}

async function relay(
  url: string,
  method: string,
  headers: Headers,
  body: string,
  rename: (location: string) => string,
): Promise<Response> {
  const contentType = headers.get("content-type");
  const answer = await fetch(url, {
    method,
    redirect: "manual",
    headers: contentType === null ? {} : { "content-type": contentType },
    ...(method === "POST" && { body }),
  });
  const copied = new Headers(answer.headers);
  const location = copied.get("location");
  if (location !== null) copied.set("location", rename(location));
  for (const name of ["content-length", "transfer-encoding", "connection", "keep-alive"]) copied.delete(name);
  return new Response(await answer.arrayBuffer(), { status: answer.status, headers: copied });
}
