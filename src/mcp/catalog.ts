import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import type { JsonObject } from "../core/json.ts";
import type { Tool } from "../tools/define.ts";
import { findTool, TOOLS } from "../tools/index.ts";
import type { Catalog } from "./call.ts";
import type { Era, ListMethod } from "./methods.ts";
import { MODERN_REVISION } from "./revisions.ts";
import { CAPABILITIES, INSTRUCTIONS, SERVER_INFO } from "./server-info.ts";

/** How long a modern client may keep a list: it changes only with a deployment. */
const LIST_TTL_MS = 3_600_000;

const texts = new Map<string, string>();

/** JSON text of a discovery result, serialised once per isolate and the same for everybody. */
export function catalogText({ list }: Catalog, method: ListMethod, era: Era): string {
  const name = `${era} ${method}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = JSON.stringify(frame(list(method), era, { ttlMs: LIST_TTL_MS, cacheScope: "public" }));
    texts.set(name, text);
  }
  return text;
}

/** MCP 2026-07-28 basic/index: members of every result that legacy clients must not see. */
export function frame(result: JsonObject, era: Era, caching: JsonObject = {}): JsonObject {
  if (era === "legacy") return result;
  const meta = { "io.modelcontextprotocol/serverInfo": SERVER_INFO };
  return { resultType: "complete", ...result, ...caching, _meta: meta };
}

/** Ours. */
export const CATALOG: Catalog = {
  list(method) {
    switch (method) {
      case "tools/list":
        return { tools: TOOLS.map(describeTool) };
      case "resources/list":
        return { resources: [] };
      case "resources/templates/list":
        return { resourceTemplates: [] };
      case "prompts/list":
        return { prompts: [] };
      case "server/discover":
        return { supportedVersions: [MODERN_REVISION], capabilities: CAPABILITIES, instructions: INSTRUCTIONS };
    }
  },
  find(method, { name, arguments: args }) {
    const tool = method === "tools/call" && typeof name === "string" ? findTool(name) : undefined;
    return tool && { call: { kind: "tool", name: tool.name, arguments: args }, scopes: tool.scopes };
  },
  prompt: () => undefined,
};

/** MCP Tool. */
export function describeTool(tool: Tool): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: schemaOf(tool.input),
    outputSchema: outputSchema(tool.output),
    annotations: { title: tool.title, ...tool.annotations },
    // ChatGPT connectors read this; nothing else depends on it.
    _meta: { securitySchemes: [{ type: "oauth2", scopes: tool.scopes }] },
  };
}

/** Clients validate failures too, so the schema admits `{error}` besides the declared result. */
function outputSchema(output: GenericSchema): JsonObject {
  const { properties, required } = schemaOf(output);
  return {
    type: "object",
    properties: { ...(properties as JsonObject), error: { type: "object" } },
    anyOf: [{ required }, { required: ["error"] }],
  };
}

/** Checks that JSON Schema cannot express stay ours; the schema a client sees is a little wider. */
function schemaOf(schema: GenericSchema): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" });
  return rest;
}
