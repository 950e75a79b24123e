import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, MAX_JSON_CONTAINERS, MAX_JSON_DEPTH, parseJson } from "../core/json.ts";
import { err, type Result } from "../core/result.ts";
import type { McpDeps } from "./call.ts";
import { answer, misconfigured, signIn } from "./dispatch.ts";
import type { Reply, RequestId } from "./jsonrpc.ts";
import {
  type Classified,
  classify,
  hasEnvelope,
  type ReadHeader,
  type Refused,
  refuse,
  refuseRevision,
} from "./revisions.ts";

/** Room for 3 MB of attachments in base64; more could not pass Graph either. */
export const MAX_MESSAGE_BYTES = 4_194_304;

/** One person's assistant asks a handful of things at once. */
const MAX_BATCH = 50;

/** POST /mcp and POST /sse: one message in, one answer out, nothing remembered (MCP streamable-http). */
export async function answerPost(request: Request, deps: McpDeps): Promise<Response> {
  const message = await readMessage(request);
  const header = headerOf(request);
  const isBatch = message.ok && Array.isArray(message.value);
  const reply = isBatch ? answerBatch(message.value, header, deps) : answer(classified(message, header), deps);
  return respond(await reply, request);
}

/**
 * POST /sse/message: 2024-11-05 answers on the stream that was opened before.
 * @param post hands the message to the caller's stream; what comes back is answered here instead
 */
export async function answerStreamPost(
  request: Request,
  deps: McpDeps,
  post: (message: Classified) => Promise<Reply | undefined>,
): Promise<Response> {
  const read = await readMessage(request);
  // Only MCP 2026-07-28 streamable-http repeats a message in headers; this POST is of the transport before it.
  const message = classified(read);
  const { id } = message;
  const refused =
    (read.ok && refuseRevision(read.value, id, headerOf(request)("MCP-Protocol-Version"))) ||
    // Who waits on the stream for an id gets the refusal there; without an id nobody waits.
    (message.kind === "refused" && id === null && message);
  return respond(refused ? refused.reply : (refuseStream(deps, id) ?? (await post(message))), request);
}

/** A GET for a 2024-11-05 stream. Who names a revision probes for one, and must not start a second sign-in. */
export function wantsStream({ headers }: Request): boolean {
  return /text\/event-stream/i.test(headers.get("Accept") ?? "") && !headers.has("MCP-Protocol-Version");
}

/** What stands between a caller and a stream; undefined when nothing does. */
export function refuseStream(deps: McpDeps, id: RequestId | null = null): Reply | undefined {
  if (deps.misconfigured.length > 0) return misconfigured(deps);
  return deps.caller.kind === "signed-in" ? undefined : signIn(id, [], deps);
}

/** The media type does not matter: `curl -d` says form, and means JSON. */
async function readMessage(request: Request): Promise<Result<unknown, Refused>> {
  const bytes = await readBody(request, MAX_MESSAGE_BYTES);
  if (bytes.ok) return parseMessage(readUtf8(bytes.value));
  const text = `A message has at most ${MAX_MESSAGE_BYTES} bytes, its attachments 3 MB; send a link instead.`;
  return err(refuse(null, 413, -32600, text));
}

/** @param text undefined when it is not UTF-8 */
function parseMessage(text = ""): Result<unknown, Refused> {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed;
  return err(
    parsed.error === "json_too_complex"
      ? refuse(
          null,
          400,
          -32600,
          `The message is nested over ${MAX_JSON_DEPTH} levels, or has over ${MAX_JSON_CONTAINERS} objects and lists.`,
        )
      : refuse(null, 400, -32700, "The message is not JSON in UTF-8."),
  );
}

function classified(message: Result<unknown, Refused>, header?: ReadHeader): Classified {
  return message.ok ? classify(message.value, header) : message.error;
}

/** A message of a socket, where there are no headers. */
export function readText(text: string): Classified {
  return classified(parseMessage(text));
}

/** MCP 2025-03-26 basic: that revision alone has batches, and it is what a client without the header speaks. */
async function answerBatch(
  messages: readonly unknown[],
  header: ReadHeader,
  deps: McpDeps,
): Promise<Reply | undefined> {
  const { caller } = deps;
  const isBatch =
    (header("MCP-Protocol-Version") ?? "2025-03-26") === "2025-03-26" &&
    messages.length > 0 &&
    messages.length <= MAX_BATCH &&
    !messages.some((message) => hasEnvelope(message) || (isJsonObject(message) && message.method === "initialize"));
  if (!isBatch) {
    const text = `A batch has 1 to ${MAX_BATCH} messages of revision 2025-03-26 and no initialize.`;
    return refuse(null, 400, -32600, text).reply;
  }
  /** Deps whose calls know their place in the batch. */
  const depsAt = (entry: number): McpDeps =>
    caller.kind === "signed-in"
      ? { ...deps, caller: { ...caller, call: (operation) => caller.call({ ...operation, entry }) } }
      : deps;
  const answered = await Promise.all(
    messages.map((message, entry) => answer(classify(message, header), depsAt(entry))),
  );
  const replies = answered.filter((reply) => reply !== undefined);
  if (replies.length === 0) return undefined;
  // Only by its status does an answer make a client sign in, ask for a scope or wait (RFC 6750 §3.1), and a batch has
  // one. It must not hide what a call came to; that has headers.
  const done = replies.findLast(({ status, headers }) => status === 200 && headers);
  const whole = done ? undefined : replies.find(({ status }) => [401, 403, 429, 503].includes(status));
  return whole ?? { status: 200, body: `[${replies.map(({ body }) => body).join()}]`, headers: done?.headers };
}

/** RFC 9110 §5.5: optional white space around a value does not count, and the platform leaves it in. */
function headerOf({ headers }: Request): ReadHeader {
  return (name) => headers.get(name)?.trim();
}

/** MCP 2026-07-28 streamable-http: no proxy is to hold events back. */
export const EVENT_STREAM = { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" };

/** An accepted message without an answer is 202 and empty. */
export function respond(reply: Reply | undefined, request: Request): Response {
  if (!reply) return new Response(null, { status: 202 });
  const { status, body, headers } = reply;
  // A client that lists nothing but the event stream gets its answer as the one event of a stream. Never 406.
  const isStream =
    status === 200 && /^( *text\/event-stream *(;[^,]*)?(,|$))+$/i.test(request.headers.get("Accept") ?? "");
  return new Response(isStream ? `event: message\ndata: ${body}\n\n` : body, {
    status,
    headers: { ...(isStream ? EVENT_STREAM : { "Content-Type": "application/json" }), ...headers },
  });
}
