import { titleOf } from "../core/text.ts";
import { prefersHtml } from "../http/accept.ts";
import { html, type Markup } from "../http/html.ts";
import { json, PUBLIC_DOCUMENT } from "../http/responses.ts";
import { describeServer, SERVER_INFO } from "../mcp/server-info.ts";
import { page } from "../oauth/page.ts";
import { reportHealth } from "../observe/health.ts";
import { TOOLS } from "../tools/index.ts";
import type { Exchange } from "./exchange.ts";

/** GET / (EP-13): a page for people who open the address in a browser; everybody else gets what `/info` says. */
export function landing(exchange: Exchange): Response {
  const isForPeople = prefersHtml(exchange.request.headers.get("Accept"));
  const answer = isForPeople
    ? page({ status: 200, title: SERVER_INFO.title, body: body(exchange) })
    : json(200, describeServer(exchange.origin));
  answer.headers.set("Vary", "Accept");
  answer.headers.set("Cache-Control", PUBLIC_DOCUMENT["Cache-Control"]);
  return answer;
}

/**
 * The steps are those of the clients' makers, looked up in November 2026: support.claude.com/articles/11175166,
 * code.claude.com/docs/en/mcp, developers.openai.com/api/docs/guides/developer-mode, "MCP configuration reference" of
 * code.visualstudio.com, modelcontextprotocol.io/docs/tools/inspector, the README of mcp-remote.
 */
function body(exchange: Exchange): Markup {
  const url = `${exchange.origin}/mcp`;
  const { configuration, egress } = reportHealth(exchange, SERVER_INFO).checks;
  const missing = [configuration.keys ?? [], egress.missing ?? []].flat();
  return html`<p>Lets an assistant work with your mail, calendar, Teams and contacts: as you, and only after you approved it and signed in at Microsoft.</p>
<h2>Connect an assistant to</h2>
<p class="host">${url}</p>
<p>Nothing else has to be filled in; a browser opens for you to sign in. Claude and ChatGPT connect from the internet, not from your computer.</p>
<h3>Claude</h3>
<p>Customize → Connectors → + → Add custom connector: paste the address, Add, Connect. On Team and Enterprise plans an owner adds it first, in Organization settings → Connectors.</p>
<h3>Claude Code</h3>
<p>Run this, then /mcp in a session:<code>claude mcp add --transport http microsoft-365 ${url}</code></p>
<h3>ChatGPT</h3>
<p>On the web: Settings → Apps → Advanced settings → Developer mode, then Create app: paste the address, choose OAuth, Create.</p>
<h3>VS Code</h3>
<p>Command Palette → MCP: Add Server → HTTP, or in .vscode/mcp.json:<code>{"servers":{"microsoft-365":{"type":"http","url":"${url}"}}}</code></p>
<h3>MCP Inspector</h3>
<p>With Node 22.19 or later, run:<code>npx @modelcontextprotocol/inspector --transport http --server-url ${url}</code></p>
<h3>mcp-remote</h3>
<p>For programs that only start local servers:<code>{"mcpServers":{"microsoft-365":{"command":"npx","args":["mcp-remote","${url}"]}}}</code></p>
<h2>Tools and the permissions they need</h2>
<ul>${TOOLS.map(({ name, scopes }) => html`<li>${titleOf(name)} <span class="dim">(${name}: ${scopes.join(", ") || "none"})</span></li>`)}</ul>
<h2>Health</h2>
<p>${missing.length === 0 ? "Healthy." : `Unhealthy. Settings missing or wrong: ${missing.join(", ")}.`} <a href="/health">Check again</a></p>`;
}
