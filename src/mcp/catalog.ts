import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { getPrompt, PROMPT_LIST } from "../prompts/index.ts";
import { describeResource, RESOURCES, uriOf } from "../resources/index.ts";
import type { Tool } from "../tools/define.ts";
import { TOOLS } from "../tools/index.ts";
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
        return { resources: RESOURCES.map(describeResource) };
      case "resources/templates/list":
        return { resourceTemplates: [] };
      case "prompts/list":
        return { prompts: PROMPT_LIST };
      case "server/discover":
        return { supportedVersions: [MODERN_REVISION], capabilities: CAPABILITIES, instructions: INSTRUCTIONS };
    }
  },
  find(method, { name, arguments: args, uri }) {
    if (method === "tools/call") {
      const tool = TOOLS.find((one) => one.name === name);
      return tool && { call: { kind: "tool", name: tool.name, arguments: args }, scopes: tool.scopes };
    }
    const resource = RESOURCES.find((one) => uriOf(one) === uri);
    return resource && { call: { kind: "resource", name: resource.name, arguments: {} }, scopes: resource.scopes };
  },
  prompt: getPrompt,
};

/** MCP Tool. */
export function describeTool(tool: Tool): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: schemaOf(tool.input, "input"),
    outputSchema: outputSchema(tool.output),
    annotations: tool.annotations,
    // ChatGPT connectors read this; nothing else depends on it.
    _meta: { securitySchemes: [{ type: "oauth2", scopes: tool.scopes }] },
  };
}

/** Clients validate failures too, so the schema admits `{error}` besides the declared result. */
function outputSchema(output: GenericSchema): JsonObject {
  const { properties, required } = schemaOf(output, "output");
  const entries = Object.entries(properties as JsonObject).map(([name, schema]) => [name, outline(schema, 2)]);
  return {
    type: "object",
    properties: { ...Object.fromEntries(entries), error: { type: "object" } },
    anyOf: [{ required }, { required: ["error"] }],
  };
}

/** Every conversation pays for the list, so what lies deep in a result only says what it is. */
function outline(schema: unknown, depth: number): unknown {
  if (!isJsonObject(schema)) return schema;
  const { type, items, properties, anyOf } = schema;
  // Text is what a member of a member usually is.
  if (anyOf !== undefined || (depth < 2 && type === "string")) return {};
  if (depth === 0 || (type !== "array" && type !== "object")) return { type };
  if (items !== undefined) return { type, items: outline(items, depth - 1) };
  const entries = Object.entries(properties as JsonObject).map(([name, member]) => [name, outline(member, depth - 1)]);
  return { type, properties: Object.fromEntries(entries) };
}

/** Checks that JSON Schema cannot express stay ours; the schema a client sees is a little wider. */
function schemaOf(schema: GenericSchema, typeMode: "input" | "output"): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode,
    errorMode: "ignore",
    // Emptiness is refused, though nobody needs to be told so twenty times.
    ignoreActions: ["min_length"],
    overrideSchema({ jsonSchema }) {
      if (jsonSchema.required?.length === 0) delete jsonSchema.required;
      // What has a default is never null in a result.
      const isGiven = typeMode === "output" && "default" in jsonSchema;
      return isGiven ? (jsonSchema.anyOf?.[0] as typeof jsonSchema) : jsonSchema;
    },
  });
  return rest;
}
