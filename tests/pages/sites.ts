// Web sites on loopback: https for the names that a deployment, Microsoft and a client would have, http for programs.
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { readText } from "../../fixtures/http.ts";
import { makeCertificate } from "./certificate.ts";

/** Containers may be without; what needs it is then skipped, and says so. */
export const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

/** For tests that need the address of a host. */
export function needsHost(host: string) {
  return { skip: host === "[::1]" && !HAS_IPV6 && "this machine has no ::1" };
}

/** A request as the browser put it on the wire. */
export interface SiteRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

export type Site = (request: SiteRequest) => Promise<Response> | Response;

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** All sites of one run behind one port; which one is meant stands in the address. */
export async function listenSecurely(sites: Readonly<Record<string, Site>>): Promise<Listening> {
  const answer = listener("https", (request) => {
    const site = sites[request.url.host];
    return site === undefined ? new Response("no such site", { status: 404 }) : site(request);
  });
  return listen(createSecureServer(makeCertificate(), answer), "127.0.0.1", 0);
}

/** @param address `127.0.0.1` or `::1` @param port 0 draws one */
export function listenPlainly(site: Site, address = "127.0.0.1", port = 0): Promise<Listening> {
  return listen(createServer(listener("http", site)), address, port);
}

async function listen(server: Server, address: string, port: number): Promise<Listening> {
  server.listen(port, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listener(scheme: "http" | "https", site: Site): RequestListener {
  return async (incoming, outgoing) => {
    try {
      await send(outgoing, await site(await receive(scheme, incoming)));
    } catch (error) {
      outgoing.writeHead(500).end(String(error));
    }
  };
}

async function receive(scheme: string, incoming: IncomingMessage): Promise<SiteRequest> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headersDistinct)) headers.set(name, (value ?? []).join(", "));
  const url = new URL(incoming.url ?? "/", `${scheme}://${headers.get("host")}`);
  return { method: incoming.method ?? "GET", url, headers, body: await readText(incoming) };
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  for (const [name, value] of response.headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  // A browser that went elsewhere has closed the connection; what is written then is dropped.
  outgoing.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()));
}

/** The page an application shows when somebody comes back to it. */
export function landing(): Response {
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'" };
  return new Response("<!doctype html><title>Signed in</title><h1>Back at the application</h1>", { headers });
}
