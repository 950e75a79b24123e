// Streams and sockets as a plain client sees them.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { WebSocket } from "undici";

export type Json = Readonly<Record<string, unknown>>;

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** A 2024-11-05 stream. */
export class EventStream {
  readonly status: number;
  readonly headers: Headers;
  readonly #reader: ReadableStreamDefaultReader<string> | undefined;
  readonly #abort: AbortController;
  #text = "";

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    this.#abort = abort;
  }

  static async open(url: string, token?: string): Promise<EventStream> {
    const abort = new AbortController();
    const headers = { accept: "text/event-stream", ...bearer(token) };
    return new EventStream(await fetch(url, { headers, signal: abort.signal }), abort);
  }

  /** The next block: lines up to an empty one. Undefined at the end of the stream. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined };
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** The data of the next event of a type, past comments. */
  async event(type: "endpoint" | "message"): Promise<string> {
    for (;;) {
      const block = await this.block();
      assert.ok(block !== undefined, `the stream ended before an event ${type}`);
      const [, data] = block.split(`event: ${type}\ndata: `);
      if (data !== undefined) return data;
    }
  }

  async message(): Promise<Json> {
    return JSON.parse(await this.event("message")) as Json;
  }

  /** Resolves when the server ends the stream. */
  async ended(): Promise<void> {
    while ((await this.block()) !== undefined);
  }

  close(): void {
    this.#abort.abort();
  }
}

/** A WebSocket that collects what it is sent. */
export class Socket {
  readonly ws: WebSocket;
  readonly #messages: string[] = [];
  #waiting: (() => void) | undefined;
  /** The code it was closed with. */
  readonly closed: Promise<number>;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.addEventListener("message", ({ data }) => {
      this.#messages.push(String(data));
      this.#waiting?.();
    });
    this.closed = new Promise((resolve) => {
      ws.addEventListener("close", ({ code }) => {
        resolve(code);
        this.#waiting?.();
      });
    });
  }

  static async open(url: string, token?: string, headers: Record<string, string> = {}): Promise<Socket> {
    const options = { protocols: "mcp", headers: { ...bearer(token), ...headers } };
    const socket = new Socket(new WebSocket(url.replace(/^http/, "ws"), options));
    await new Promise((resolve, reject) => {
      socket.ws.addEventListener("open", resolve);
      socket.ws.addEventListener("error", ({ error }) => reject(error));
    });
    return socket;
  }

  async text(): Promise<string> {
    while (this.#messages.length === 0) {
      assert.ok(this.ws.readyState <= WebSocket.OPEN, "the socket closed before a message came");
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#messages.shift() ?? "";
  }

  async message(): Promise<Json> {
    return JSON.parse(await this.text()) as Json;
  }

  async ask(method: string, params: Json = {}, id: string | number = 1): Promise<Json> {
    this.ws.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return this.message();
  }
}

export interface Upgrade {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A handshake as a whole, refused or not. Node's `http` sends what it is told, Host included; with a body it posts. */
export function handshake(url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Upgrade> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent: false, headers, method: body === undefined ? "GET" : "POST" });
    const answer = (status: number | undefined, raw: NodeJS.Dict<string | string[]>, text: string) =>
      resolve({ status: status ?? 0, headers: new Headers(raw as Record<string, string>), text });
    sent.once("upgrade", (response, socket) => {
      socket.destroy();
      answer(response.statusCode, response.headers, "");
    });
    sent.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => answer(response.statusCode, response.headers, text));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
