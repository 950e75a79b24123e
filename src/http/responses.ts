/** The few shapes that answers outside MCP take. */

export function json(status: number, body: unknown, headers?: Record<string, string>): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

/** A public document may be kept for a while, but a changed configuration should show within minutes. */
export const PUBLIC_DOCUMENT = { "Cache-Control": "public, max-age=300" };

/** An error in the house style: a code for programs, a sentence for people, an id to ask us about. */
export function jsonError(
  status: number,
  error: string,
  description: string,
  requestId: string,
  headers?: Record<string, string>,
): Response {
  return json(status, { error, error_description: description, requestId }, headers);
}

export function redirect(status: 302 | 303 | 308, location: string, headers?: Record<string, string>): Response {
  return new Response(null, { status, headers: { Location: location, ...headers } });
}
