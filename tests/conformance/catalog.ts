// What the conformance suite expects to find on a server: its tools, resources and prompts, as far as the product has
// a code path for them. Texts and pictures are the suite's own (examples/servers/typescript/everything-server.ts).
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import type { CallOutcome, Catalog, ProtectedCall } from "../../src/mcp/call.ts";
import { CATALOG } from "../../src/mcp/catalog.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

const text = (words: string) => ({ type: "text", text: words });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const says = (words: string): JsonObject => ({ content: [text(words)] });

function embedded(uri: string, mimeType: string, words: string): JsonObject {
  return { type: "resource", resource: { uri, mimeType, text: words } };
}

/** The parameters of the call as the client sent them, retries with answers included (MCP 2026-07-28 mrtr). */
interface Asked {
  readonly answers: JsonObject;
  readonly state: string | undefined;
  readonly capabilities: JsonObject;
}

type Tool = (asked: Asked) => Promise<JsonObject | undefined> | JsonObject;

/** Asks the person for one field. */
function elicit(message: string, field: string, type = "string"): JsonObject {
  const requestedSchema = { type: "object", properties: { [field]: { type } }, required: [field] };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

function sample(question: string): JsonObject {
  const messages = [{ role: "user", content: text(question) }];
  return { method: "sampling/createMessage", params: { messages, maxTokens: 100 } };
}

const ROOTS: JsonObject = { method: "roots/list", params: {} };

function ask(inputRequests: JsonObject, requestState?: string): JsonObject {
  return { resultType: "input_required", inputRequests, ...(requestState === undefined ? {} : { requestState }) };
}

/** `content.<field>` of an answer. */
function field(answer: unknown, name: string): unknown {
  const content = isJsonObject(answer) ? answer.content : undefined;
  return isJsonObject(content) ? content[name] : undefined;
}

function countRoots(answer: unknown): number {
  return isJsonObject(answer) && Array.isArray(answer.roots) ? answer.roots.length : 0;
}

const key = crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode("the conformance suite's fixtures only"),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign", "verify"],
);

/** MCP 2026-07-28 mrtr: state that matters carries a MAC. */
async function sealState(value: string): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", await key, new TextEncoder().encode(value));
  return `${value}.${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
}

async function openState(sealed: string): Promise<string | undefined> {
  const value = sealed.slice(0, sealed.indexOf("."));
  return (await sealState(value)) === sealed ? value : undefined;
}

const TOOLS: { readonly [name: string]: Tool } = {
  test_simple_text: () => says("This is a simple text response for testing."),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  test_embedded_resource: () => ({
    content: [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  }),
  test_multiple_content_types: () => ({
    content: [
      text("Multiple content types test:"),
      image,
      embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  }),
  test_error_handling: () => ({ ...says("This tool intentionally returns an error for testing"), isError: true }),
  test_streaming_elicitation: () => says("Streaming complete"),
  test_logging_tool: () => says("Logging evaluated"),
  json_schema_2020_12_tool: () => says("JSON Schema 2020-12 tool called"),
  test_input_required_result_elicitation: ({ answers }) => {
    const name = field(answers.user_name, "name");
    if (typeof name !== "string") return ask({ user_name: elicit("What is your name?", "name") });
    return says(`Hello, ${name}!`);
  },
  test_input_required_result_sampling: ({ answers }) => {
    const { sample_request: sampled } = answers;
    if (!isJsonObject(sampled)) return ask({ sample_request: sample("What is the capital of France?") });
    return says(`Sampling result: ${isJsonObject(sampled.content) ? sampled.content.text : "none"}`);
  },
  test_input_required_result_list_roots: ({ answers }) =>
    "roots_request" in answers
      ? says(`Found ${countRoots(answers.roots_request)} root(s)`)
      : ask({ roots_request: ROOTS }),
  test_input_required_result_request_state: async ({ answers, state }) =>
    state !== undefined && field(answers.confirm, "ok") === true && (await openState(state)) === "request-state"
      ? says("state-ok: requestState validated")
      : ask({ confirm: elicit("Please confirm", "ok", "boolean") }, await sealState("request-state")),
  test_input_required_result_multiple_inputs: async ({ answers, state }) => {
    const { user_name: name, greeting, client_roots: roots } = answers;
    if (state !== undefined && isJsonObject(name) && isJsonObject(greeting) && isJsonObject(roots)) {
      return says(`Name: ${field(name, "name")}; Greeting: given; Roots: ${countRoots(roots)}`);
    }
    const requests = {
      user_name: elicit("What is your name?", "name"),
      greeting: sample("Generate a greeting"),
      client_roots: ROOTS,
    };
    return ask(requests, await sealState("multiple-inputs"));
  },
  test_input_required_result_multi_round: async ({ answers, state }) => {
    const round = state === undefined ? "0" : ((await openState(state)) ?? "0");
    if (round === "2" && "step2" in answers) return says(`Multi-round complete: ${field(answers.step2, "color")}`);
    if (round === "1" && "step1" in answers) {
      return ask({ step2: elicit("Step 2: What is your favorite color?", "color") }, await sealState("2"));
    }
    return ask({ step1: elicit("Step 1: What is your name?", "name") }, await sealState("1"));
  },
  test_input_required_result_tampered_state: async ({ answers, state }) => {
    if (state !== undefined && (await openState(state)) === undefined) return undefined;
    if (state !== undefined && "confirm" in answers) return says("integrity-ok: state verified");
    return ask({ confirm: elicit("Please confirm", "ok", "boolean") }, await sealState("tamper-test"));
  },
  test_input_required_result_capabilities: async ({ answers, capabilities }) => {
    if (Object.keys(answers).length > 0) return says("capabilities-ok");
    const requests = {
      ...("elicitation" in capabilities ? { elicit_input: elicit("Elicitation input", "value") } : {}),
      ...("sampling" in capabilities ? { sample_input: sample("Sample request") } : {}),
    };
    if (Object.keys(requests).length === 0) return says("No supported capabilities declared");
    return ask(requests, await sealState("capabilities"));
  },
};

const RESOURCES: { readonly [uri: string]: JsonObject } = {
  "test://static-text": { mimeType: "text/plain", text: "This is the content of the static text resource." },
  "test://static-binary": { mimeType: "image/png", blob: PNG },
};

const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

function readResource(uri: string): JsonObject | undefined {
  const [, id] = TEMPLATE.exec(uri) ?? [];
  if (id !== undefined) {
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { uri, mimeType: "application/json", text: JSON.stringify(data) };
  }
  return Object.hasOwn(RESOURCES, uri) ? { uri, ...RESOURCES[uri] } : undefined;
}

const user = (content: unknown) => ({ role: "user", content });

const PROMPTS: { readonly [name: string]: (args: JsonObject, answers: JsonObject) => JsonObject } = {
  test_simple_prompt: () => ({ messages: [user(text("This is a simple prompt for testing."))] }),
  test_prompt_with_arguments: ({ arg1, arg2 }) => ({
    messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  }),
  test_prompt_with_embedded_resource: ({ resourceUri }) => ({
    messages: [
      user(embedded(String(resourceUri), "text/plain", "Embedded resource content for testing.")),
      user(text("Please process the embedded resource above.")),
    ],
  }),
  test_prompt_with_image: () => ({ messages: [user(image), user(text("Please analyze the image above."))] }),
  test_input_required_result_prompt: (_args, answers) =>
    "user_context" in answers
      ? { messages: [user(text(`Context: ${field(answers.user_context, "context")}`))] }
      : ask({ user_context: elicit("What context should the prompt use?", "context") }),
};

const PROMPT_ARGUMENTS: { readonly [name: string]: readonly string[] } = {
  test_prompt_with_arguments: ["arg1", "arg2"],
  test_prompt_with_embedded_resource: ["resourceUri"],
};

/** SEP-1613, SEP-2106: what a schema may hold besides properties. */
const SCHEMA_2020_12: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

function record(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export const FIXTURES: Catalog = {
  list(method) {
    switch (method) {
      case "tools/list":
        return {
          tools: Object.keys(TOOLS).map((name) => ({
            name,
            description: `Fixture ${name}.`,
            inputSchema: name === "json_schema_2020_12_tool" ? SCHEMA_2020_12 : { type: "object" },
          })),
        };
      case "resources/list":
        return {
          resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({
            uri,
            name: uri,
            description: `Fixture ${uri}.`,
            mimeType,
          })),
        };
      case "resources/templates/list": {
        const template = {
          uriTemplate: "test://template/{id}/data",
          name: "template",
          description: "Fixture template.",
        };
        return { resourceTemplates: [{ ...template, mimeType: "application/json" }] };
      }
      case "prompts/list":
        return {
          prompts: Object.keys(PROMPTS).map((name) => ({
            name,
            description: `Fixture ${name}.`,
            arguments: (PROMPT_ARGUMENTS[name] ?? []).map((argument) => ({
              name: argument,
              description: "Fixture argument.",
              required: true,
            })),
          })),
        };
      case "server/discover":
        return CATALOG.list(method);
    }
  },
  find(method, params) {
    const { name, uri } = params;
    if (method === "tools/call") {
      if (typeof name !== "string" || !Object.hasOwn(TOOLS, name)) return undefined;
      return { call: { kind: "tool", name, arguments: params }, scopes: [] };
    }
    if (typeof uri !== "string" || readResource(uri) === undefined) return undefined;
    return { call: { kind: "resource", name: uri, arguments: params }, scopes: [] };
  },
  prompt({ name, arguments: args, inputResponses }) {
    const prompt = typeof name === "string" && Object.hasOwn(PROMPTS, name) ? PROMPTS[name] : undefined;
    const isComplete = (PROMPT_ARGUMENTS[String(name)] ?? []).every((argument) => argument in record(args));
    return prompt && isComplete ? prompt(record(args), record(inputResponses)) : "No such prompt, or incomplete.";
  },
};

/** Runs what `FIXTURES` found. */
export async function callFixture({ kind, name, arguments: given }: ProtectedCall): Promise<CallOutcome> {
  const quota = { limit: 300, remaining: 299, resetSeconds: 60 };
  if (kind === "resource") return { kind: "done", result: { contents: [readResource(name)] }, quota };
  const params = record(given);
  const { requestState: state } = params;
  const result = await TOOLS[name]?.({
    answers: record(params.inputResponses),
    state: typeof state === "string" ? state : undefined,
    capabilities: record(record(params._meta)["io.modelcontextprotocol/clientCapabilities"]),
  });
  return result === undefined
    ? { kind: "failed", message: "requestState does not verify", data: {}, quota }
    : { kind: "done", result, quota };
}
