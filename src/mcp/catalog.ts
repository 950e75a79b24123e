import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import type { JsonObject } from "../core/json.ts";
import { titleOf } from "../core/text.ts";
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

const LISTS: { readonly [Method in ListMethod]: () => JsonObject } = {
  "tools/list": () => ({ tools: TOOLS.map(describeTool) }),
  "resources/list": () => ({ resources: RESOURCES.map(describeResource) }),
  "resources/templates/list": () => ({ resourceTemplates: [] }),
  "prompts/list": () => ({ prompts: PROMPT_LIST }),
  "server/discover": () => ({
    supportedVersions: [MODERN_REVISION],
    capabilities: CAPABILITIES,
    instructions: INSTRUCTIONS,
  }),
};

/** Ours. */
export const CATALOG: Catalog = {
  list: (method) => LISTS[method](),
  find(method, { name, arguments: args, uri }) {
    const isTool = method === "tools/call";
    const found = isTool ? TOOLS.find((one) => one.name === name) : RESOURCES.find((one) => uriOf(one) === uri);
    return (
      found && {
        call: { kind: isTool ? "tool" : "resource", name: found.name, arguments: isTool ? args : {} },
        scopes: found.scopes,
      }
    );
  },
  prompt: getPrompt,
};

/** MCP Tool. */
export function describeTool({ name, description, input, output, annotations, scopes }: Tool): JsonObject {
  return {
    name,
    title: titleOf(name),
    description,
    inputSchema: schemaOf(input, "input"),
    outputSchema: outputSchema(output),
    annotations,
    // ChatGPT connectors read this; nothing else depends on it.
    _meta: { securitySchemes: [{ type: "oauth2", scopes }] },
  };
}

/** Clients validate failures too, so the schema admits `{error}` besides the declared result. */
function outputSchema(output: GenericSchema): JsonObject {
  const { properties, required } = schemaOf(output, "output");
  return {
    type: "object",
    properties: { ...outlineAll(properties as JsonObject, 2), error: { type: "object" } },
    anyOf: [{ required }, { required: ["error"] }],
  };
}

const outlineAll = (properties: JsonObject, depth: number) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, outline(schema as JsonObject, depth)]));

/** Every conversation pays for the list, so what lies deep in a result only says what it is. */
function outline({ type, items, properties, anyOf }: JsonObject, depth: number): JsonObject {
  // Text is what a member of a member usually is.
  if (anyOf || (depth < 2 && type === "string")) return {};
  if (depth === 0) return { type };
  if (items) return { type, items: outline(items as JsonObject, depth - 1) };
  return { type, properties: properties && outlineAll(properties as JsonObject, depth - 1) };
}

/** Checks that JSON Schema cannot express stay ours; the schema a client sees is a little wider. */
function schemaOf(schema: GenericSchema, typeMode: "input" | "output"): JsonObject {
  const json = toJsonSchema(schema, {
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
  return { ...json, $schema: undefined };
}
