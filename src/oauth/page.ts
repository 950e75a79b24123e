import { randomSecret } from "../crypto/random.ts";
import { html, Markup } from "../http/html.ts";
import { jsonError } from "../http/responses.ts";

/**
 * One small stylesheet for every page: system fonts at the size the reader chose, light and dark, narrow screens. What
 * is there to be copied is selected by one click. Where an application speaks of itself it is clipped: marks piled on a
 * letter would otherwise be drawn over what we say.
 */
const STYLE = new Markup(`:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}
h2,h3{font-size:1rem;margin:1.5rem 0 .25rem}
h3{margin-top:.75rem}
p{margin:.25rem 0 .75rem}
ul{margin:0;padding:0 5px 5px 1.25rem}
.dim{color:light-dark(#595959,#b3b3b3);font-size:.9rem}
h1+p,.dim{overflow:clip}
.host,code{display:block;border:1px solid #8886;border-radius:.5rem;padding:.5rem .75rem;user-select:all}
.host{font-size:1.2rem;font-weight:600}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;margin:1.5rem 0}
a,button{color:light-dark(#0b57d0,#a8c7fa)}
button,.button{flex:1 1 8rem;min-height:2.75rem;box-sizing:border-box;font:inherit;font-weight:600;text-align:center;padding:.5rem 1rem;background:none;border:2px solid;border-radius:.5rem;text-decoration:none}
:focus-visible{outline:3px solid;outline-offset:2px}`);

export interface PageOptions {
  readonly status: number;
  readonly title: string;
  readonly body: Markup;
  /** Absent from a page that caches may keep. */
  readonly requestId?: string;
  /** Where forms of the page may lead, as CSP sources; absent for a page without forms. */
  readonly formAction?: string;
  readonly cookies?: readonly string[];
}

/**
 * A page without scripts, images or anything fetched from elsewhere. As the answer of a `page` route it is not kept
 * (`completeHeaders`).
 */
export function page({ status, title, body, requestId, formAction, cookies = [] }: PageOptions): Response {
  const nonce = randomSecret();
  const document = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${title}</title>
<style nonce="${nonce}">${STYLE}</style>
<main>
<h1>${title}</h1>
${body}
${requestId === undefined ? undefined : html`<p class="dim">Request id: ${requestId}</p>`}
</main>
</html>
`;
  const headers = new Headers({
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'nonce-${nonce}'; form-action ${formAction ?? "'none'"}`,
    "X-Frame-Options": "DENY",
    // With `no-referrer` a browser posts `Origin: null`, and a form would be refused.
    "Referrer-Policy": formAction === undefined ? "no-referrer" : "same-origin",
  });
  for (const cookie of cookies) headers.append("Set-Cookie", cookie);
  return new Response(document.text, { status, headers });
}

/** An error that a person sees: what happened and what to do. Programs that ask for JSON get that. */
export function errorPage(
  request: Request,
  status: number,
  title: string,
  description: string,
  requestId: string,
): Response {
  if (request.headers.get("Accept")?.startsWith("application/json")) {
    return jsonError(status, "invalid_request", description, requestId);
  }
  return page({ status, title, body: html`<p>${description}</p>`, requestId });
}
