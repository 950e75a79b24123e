// The pages with everything that can be hard about them, rendered by the Worker's own code.

import { landing } from "../../src/endpoints/landing-page.ts";
import { GRAPH_SCOPES } from "../../src/graph/scopes.ts";
import { completeHeaders } from "../../src/http/headers.ts";
import { html } from "../../src/http/html.ts";
import { approvalPage } from "../../src/oauth/approval-page.ts";
import type { Client } from "../../src/oauth/client.ts";
import type { AuthorizationRequest } from "../../src/oauth/grants.ts";
import { errorPage, page } from "../../src/oauth/page.ts";
import type { Exchange } from "../../src/routes.ts";

const CLIENT: Client = {
  clientId: "2b612fadbdbd4d44acd86c9e97dec625",
  clientName: "Contoso Notes",
  redirectUris: [],
  tokenEndpointAuthMethod: "none",
  grantTypes: ["authorization_code", "refresh_token"],
  registeredAt: 0,
};

const REQUEST: AuthorizationRequest = {
  clientId: CLIENT.clientId,
  redirectUri: "https://notes.contoso.example/oauth/callback",
  scopes: ["Mail.Read", "Mail.Send"],
  resource: "https://m365.contoso.example",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  state: "state-of-the-client",
};

/** As long as a name may be (OA-04), with nowhere to break. */
export const LONG_NAME = "Contoso".repeat(15).slice(0, 100);
/** Hebrew, with a mark that is neither left nor right: it belongs to the left of the word. */
export const RTL_NAME = "יומן!";
/** Combining marks, which fonts pile up beyond the line. */
const PILED_NAME = `A${"\u0301".repeat(99)}`;

/** Labels of 63 characters, as long as RFC 1035 §2.3.4 lets them be. */
const LONG_HOST = `${`${"contoso".repeat(9)}.`.repeat(3)}example`;

const EVERYTHING: Partial<Client> = {
  clientUri: `https://${LONG_HOST}/about`,
  policyUri: "https://notes.contoso.example/privacy",
  tosUri: "https://notes.contoso.example/terms",
  contacts: ["support@contoso.example", "security@contoso.example"],
};

const REQUEST_ID = "6f0a2d4e-51c3-4b87-9a64-c0ffee000001";
/** About as long as a form with an ordinary request. */
const FORM = "v1.0a1b2c3d.".padEnd(700, "A1b2C3d4");

function approval(client: Partial<Client>, request: Partial<AuthorizationRequest>, isRemembered = false): Response {
  return approvalPage({
    client: { ...CLIENT, ...client },
    request: { ...REQUEST, ...request },
    form: FORM,
    isRemembered,
    requestId: REQUEST_ID,
    cookies: [],
  });
}

function landingPage(exchange: Partial<Exchange> = {}): Response {
  const request = new Request("https://m365.contoso.example/", { headers: { Accept: "text/html" } });
  const origin = "https://m365.contoso.example";
  const all = { request, origin, config: { ok: true }, env: { AI: {} }, clock: Date.now, ...exchange };
  // What the page looks at.
  return landing(all as Exchange);
}

/** Name and page; a page can be sent once, so each is made when it is asked for. */
export const SAMPLES: Readonly<Record<string, () => Response>> = {
  "two permissions": () => approval({}, {}),
  "all permissions, all links, a long host": () =>
    approval(EVERYTHING, { scopes: GRAPH_SCOPES, redirectUri: `https://${LONG_HOST}/oauth/callback` }),
  "forty permissions": () => approval({}, { scopes: Array.from({ length: 4 }, () => GRAPH_SCOPES).flat() }),
  "a link at the end": () => approval({ tosUri: `https://${LONG_HOST}/terms` }, {}),
  "a name of 100 characters without a space": () => approval({ clientName: LONG_NAME }, {}),
  "a right-to-left name": () => approval({ clientName: RTL_NAME }, {}),
  "marks piled on a letter": () => approval({ clientName: PILED_NAME }, {}),
  "a program on this computer": () => approval({}, { redirectUri: "http://127.0.0.1:33418/callback" }),
  "a program with its own scheme": () => approval({}, { redirectUri: "com.example.notes:/callback" }),
  remembered: () => approval({}, {}, true),
  "remembered, with a long name": () => approval({ clientName: LONG_NAME }, {}, true),
  error: () =>
    errorPage(
      new Request("https://m365.contoso.example/authorize"),
      400,
      "Nothing was approved",
      "This page was open for more than ten minutes and has expired. Go back to the application and connect again.",
      REQUEST_ID,
    ),
  "already approved": () =>
    page({
      status: 409,
      title: "You already approved this",
      body: html`<p>Sign in at Microsoft to go on.</p>
<p class="actions"><a class="button" href="https://login.microsoft.example/">Continue to Microsoft</a></p>`,
      requestId: REQUEST_ID,
    }),
  landing: () => landingPage(),
  "landing of a long host": () => landingPage({ origin: `https://${LONG_HOST}` }),
  "landing, unhealthy": () =>
    landingPage({
      origin: "http://127.0.0.1:8787",
      config: {
        ok: false,
        error: { keys: ["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "COOKIE_ENCRYPTION_KEY"] },
      },
    }),
};

/** The sample whose path it is, with the headers of the Worker. */
export function sampleAt(path: string): Response {
  const response = SAMPLES[decodeURIComponent(path.slice(1))]?.() ?? new Response(null, { status: 404 });
  completeHeaders(response.headers, "page", REQUEST_ID, false);
  return response;
}
