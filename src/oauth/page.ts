import { randomSecret } from "../crypto/random.ts";
import { html, Markup } from "../http/html.ts";
import { json } from "../http/responses.ts";

/**
 * One small stylesheet for every page: system fonts, light and dark, narrow screens. Where an application speaks of
 * itself it is clipped: marks piled on a letter would otherwise be drawn over what we say.
 */
const STYLE = `
:root{color-scheme:light dark;--dim:#595959;--action:#0b57d0}
@media(prefers-color-scheme:dark){:root{--dim:#b3b3b3;--action:#a8c7fa}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem;overflow-wrap:anywhere}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 1rem}
h2{font-size:1rem;margin:1.5rem 0 .25rem}
h3{margin:.75rem 0 0}
ul{margin:0;padding:0 5px 5px 1.25rem}
.dim{color:var(--dim);font-size:.9rem}
h1+p,.dim{overflow:clip}
.host{font-size:1.2rem;font-weight:600;border:1px solid #8886;border-radius:.5rem;padding:.5rem .75rem;margin:.25rem 0}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0}
button,.button{flex:1 1 8rem;min-height:2.75rem;font:inherit;font-weight:600;text-align:center;padding:.5rem 1rem;color:var(--action);background:transparent;border:2px solid var(--action);border-radius:.5rem;cursor:pointer;text-decoration:none}
button:focus-visible,a:focus-visible{outline:3px solid var(--action);outline-offset:2px}
a{color:var(--action)}`;

export interface PageOptions {
  readonly status: number;
  readonly title: string;
  readonly body: Markup;
  readonly requestId: string;
  /** Where forms of the page may lead, as CSP sources; absent for a page without forms. */
  readonly formAction?: string;
  readonly cookies?: readonly string[];
}

/** A page without scripts, images or anything fetched from elsewhere. */
export function page(options: PageOptions): Response {
  const nonce = randomSecret();
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${options.title}</title>
<style nonce="${nonce}">${STYLE_MARKUP}</style>
</head>
<body>
<main>
<h1>${options.title}</h1>
${options.body}
<p class="dim">Request id: ${options.requestId}</p>
</main>
</body>
</html>
`;
  const headers = new Headers({
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy(nonce, options.formAction ?? "'none'"),
    "X-Frame-Options": "DENY",
    // With `no-referrer` a browser posts `Origin: null`, and a form would be refused.
    "Referrer-Policy": options.formAction === undefined ? "no-referrer" : "same-origin",
    "Cache-Control": "no-store",
  });
  for (const cookie of options.cookies ?? []) headers.append("Set-Cookie", cookie);
  return new Response(document.text, { status: options.status, headers });
}

const STYLE_MARKUP = new Markup(STYLE);

function policy(nonce: string, formAction: string): string {
  return `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`;
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
    return json(status, { error: "invalid_request", error_description: description, requestId });
  }
  return page({ status, title, body: html`<p>${description}</p>`, requestId });
}
