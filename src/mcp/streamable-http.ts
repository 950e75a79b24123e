import { readBounded } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { parseJson } from "../core/json.ts";
import type { Caller, McpDeps } from "./call.ts";
import { dispatch, signIn } from "./dispatch.ts";
import { ERROR, errorReply, type Reply } from "./jsonrpc.ts";
import { type Classified, classify, type MessageHeaders } from "./revisions.ts";

/** Room for 3 MB of attachments in base64; more could not pass Graph either. */
export const MAX_MESSAGE_BYTES = 4_194_304;

/** POST /mcp and POST /sse: one message in, one answer out, nothing remembered (MCP streamable-http). */
export async function answerPost(request: Request, caller: Caller, deps: McpDeps): Promise<Response> {
  const message = await readMessage(request);
  if ("status" in message) return respond(message, request);
  return respond(await answer(classify(message.value, readHeaders(request.headers), "http"), caller, deps), request);
}

/**
 * GET: a 2024-11-05 client that is not signed in hears so; to everybody else there is no stream to give. A client that
 * names its revision probes for a stream and must not start a second sign-in (MCP 2025-11-25 transports).
 */
export function refuseGet(request: Request, caller: Caller, deps: McpDeps): Response {
  const isProbe = request.headers.has("MCP-Protocol-Version");
  const wantsStream = (request.headers.get("Accept") ?? "").includes("text/event-stream");
  if (wantsStream && !isProbe && caller.kind !== "signed-in") return respond(signIn(null, [], deps), request);
  const message = "There is no stream here: POST JSON-RPC messages.";
  return respond(
    errorReply(405, null, { code: ERROR.invalidRequest, message }, { Allow: "GET, POST, OPTIONS" }),
    request,
  );
}

async function answer(classified: Classified, caller: Caller, deps: McpDeps): Promise<Reply | undefined> {
  switch (classified.kind) {
    case "notification":
    case "response":
      return undefined;
    case "refused":
      return errorReply(classified.status, classified.id, classified.error);
    case "request":
      return dispatch(classified, caller, deps);
  }
}

/** The media type does not matter: `curl -d` says form, and means JSON. */
async function readMessage(request: Request): Promise<{ readonly value: unknown } | Reply> {
  const bytes = await readBounded(request.body, MAX_MESSAGE_BYTES);
  if (!bytes.ok) {
    const message = `A message may have at most ${MAX_MESSAGE_BYTES} bytes (4 MiB), attachments at most 3 MB in all; send a link instead.`;
    return errorReply(413, null, { code: ERROR.invalidRequest, message });
  }
  const text = readUtf8(bytes.value);
  const value = text === undefined ? undefined : parseJson(text);
  if (value?.ok) return { value: value.value };
  if (value?.error === "json_too_deep") {
    return errorReply(400, null, {
      code: ERROR.invalidRequest,
      message: "The message is nested too deeply (over 64 levels).",
    });
  }
  return errorReply(400, null, { code: ERROR.parse, message: "The body is not JSON in UTF-8." });
}

function readHeaders(headers: Headers): MessageHeaders {
  return {
    version: headers.get("MCP-Protocol-Version") ?? undefined,
    method: headers.get("Mcp-Method") ?? undefined,
    name: headers.get("Mcp-Name") ?? undefined,
  };
}

/** An accepted message without an answer is 202 and empty. */
function respond(reply: Reply | undefined, request: Request): Response {
  if (reply === undefined) return new Response(null, { status: 202 });
  const wantsStream = reply.status === 200 && acceptsOnlyStream(request.headers.get("Accept"));
  const body = wantsStream ? `event: message\ndata: ${reply.body}\n\n` : reply.body;
  const contentType = wantsStream ? "text/event-stream" : "application/json";
  return new Response(body, { status: reply.status, headers: { "Content-Type": contentType, ...reply.headers } });
}

/** A client that lists nothing but the event stream gets its answer as the one event of a stream. Never 406. */
function acceptsOnlyStream(accept: string | null): boolean {
  const types = (accept ?? "").split(",").map((type) => type.split(";")[0]?.trim().toLowerCase());
  return types.every((type) => type === "text/event-stream");
}
