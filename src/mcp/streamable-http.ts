import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import { err, type Result } from "../core/result.ts";
import type { McpDeps } from "./call.ts";
import { answer, misconfigured, signIn } from "./dispatch.ts";
import { ERROR, errorReply, type Reply, type RequestId } from "./jsonrpc.ts";
import { type Classified, classify, hasEnvelope, idOf, type MessageHeaders } from "./revisions.ts";

/** Room for 3 MB of attachments in base64; more could not pass Graph either. */
export const MAX_MESSAGE_BYTES = 4_194_304;

/** One person's assistant asks a handful of things at once. */
const MAX_BATCH = 50;

/** POST /mcp and POST /sse: one message in, one answer out, nothing remembered (MCP streamable-http). */
export async function answerPost(request: Request, deps: McpDeps): Promise<Response> {
  const message = await readMessage(request);
  if (!message.ok) return respond(message.error, request);
  const headers = readHeaders(request.headers);
  const { value } = message;
  const reply = Array.isArray(value) ? answerBatch(value, headers, deps) : answer(classify(value, headers), deps);
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
  const message = await readMessage(request);
  if (!message.ok) return respond(message.error, request);
  const classified = classify(message.value, readHeaders(request.headers));
  // A refusal that is an answer (an unknown method) belongs on the stream, where the client waits for it.
  if (classified.kind === "refused" && classified.reply.status !== 200) return respond(classified.reply, request);
  return respond(refuseStream(deps, idOf(classified)) ?? (await post(classified)), request);
}

/** A GET for a 2024-11-05 stream. Who names a revision probes for one, and must not start a second sign-in. */
export function wantsStream({ headers }: Request): boolean {
  return (headers.get("Accept") ?? "").includes("text/event-stream") && !headers.has("MCP-Protocol-Version");
}

/** What stands between a caller and a stream; undefined when nothing does. */
export function refuseStream(deps: McpDeps, id: RequestId | null = null): Reply | undefined {
  if (deps.misconfigured.length > 0) return misconfigured(deps.misconfigured, deps);
  return deps.caller.kind === "signed-in" ? undefined : signIn(id, [], deps);
}

/** The media type does not matter: `curl -d` says form, and means JSON. */
async function readMessage(request: Request): Promise<Result<unknown, Reply>> {
  const bytes = await readBody(request, MAX_MESSAGE_BYTES);
  if (bytes.ok) return parseMessage(readUtf8(bytes.value));
  const message = `A message may have ${MAX_MESSAGE_BYTES} bytes (4 MiB), attachments 3 MB in all; send a link instead.`;
  return err(errorReply(413, null, { code: ERROR.invalidRequest, message }));
}

/** @param text undefined when it is not UTF-8 */
export function parseMessage(text: string | undefined): Result<unknown, Reply> {
  const parsed = parseJson(text ?? "");
  if (parsed.ok) return parsed;
  const [code, message] =
    parsed.error === "json_too_deep"
      ? [ERROR.invalidRequest, "The message is nested over 64 levels."]
      : [ERROR.parse, "The message is not JSON in UTF-8."];
  return err(errorReply(400, null, { code, message }));
}

/** MCP 2025-03-26 basic: that revision alone has batches, and it is what a client without the header speaks. */
async function answerBatch(
  messages: readonly unknown[],
  headers: MessageHeaders,
  deps: McpDeps,
): Promise<Reply | undefined> {
  const isBatch =
    (headers.version === null || headers.version === "2025-03-26") &&
    messages.length > 0 &&
    messages.length <= MAX_BATCH &&
    !messages.some((message) => hasEnvelope(message) || (isJsonObject(message) && message.method === "initialize"));
  if (!isBatch) {
    const message = `A batch has 1 to ${MAX_BATCH} messages of revision 2025-03-26 and no initialize.`;
    return errorReply(400, null, { code: ERROR.invalidRequest, message });
  }
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  const answered = await Promise.all(
    messages.map((message, entry) => answer(classify(message, headers), numbered(deps, entry, done))),
  );
  const replies = answered.filter((reply) => reply !== undefined);
  if (replies.length === 0) return undefined;
  // Only a status makes a client sign in, and a batch has one. It must not hide that something was done.
  const whole = isDone ? undefined : replies.find(({ status }) => status === 401 || status === 503);
  return whole ?? { status: 200, body: `[${replies.map(({ body }) => body).join()}]` };
}

/** Deps whose calls know their place in the batch, and tell when one was carried out. */
function numbered(deps: McpDeps, entry: number, done: () => void): McpDeps {
  const { caller } = deps;
  if (caller.kind !== "signed-in") return deps;
  const call: typeof caller.call = async (operation) => {
    const outcome = await caller.call({ ...operation, entry });
    if (outcome.kind === "done") done();
    return outcome;
  };
  return { ...deps, caller: { ...caller, call } };
}

function readHeaders(headers: Headers): MessageHeaders {
  // RFC 9110 §5.5: optional white space around a value does not count, and the platform leaves it in.
  const read = (name: string) => headers.get(name)?.trim() ?? null;
  return { version: read("MCP-Protocol-Version"), method: read("Mcp-Method"), name: read("Mcp-Name") };
}

/** An accepted message without an answer is 202 and empty. */
export function respond(reply: Reply | undefined, request: Request): Response {
  if (reply === undefined) return new Response(null, { status: 202 });
  const { status, body, headers } = reply;
  const isStream = status === 200 && acceptsOnlyStream(request.headers.get("Accept"));
  return new Response(isStream ? `event: message\ndata: ${body}\n\n` : body, {
    status,
    headers: { "Content-Type": isStream ? "text/event-stream" : "application/json", ...headers },
  });
}

/** A client that lists nothing but the event stream gets its answer as the one event of a stream. Never 406. */
function acceptsOnlyStream(accept: string | null): boolean {
  return (accept ?? "").split(",").every((type) => type.split(";")[0]?.trim().toLowerCase() === "text/event-stream");
}
