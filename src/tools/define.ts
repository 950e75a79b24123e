import type * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import type { GraphRequest } from "../graph/request.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";

/** MCP ToolAnnotations; all four are always given. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** Reads mail and invitations that outsiders wrote. */
export const READS: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: true,
};

/** Nothing that was sent can be recalled, so clients should ask before. */
export const WRITES: ToolAnnotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
};

/** What `build` may know besides its arguments. */
export interface ToolContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly requestId: string;
  /** `tid/oid` of the person. */
  readonly userKey: string;
  /** The page that a checked `pageToken` names. */
  readonly page: GraphPath | undefined;
}

/** What a tool gives the client. */
export interface Presented<Output> {
  /** The sentence, or the value to be shown as pretty JSON. */
  readonly text: unknown;
  readonly structured: Output;
  /** `@odata.nextLink` as Graph gave it; becomes `nextPageToken`. */
  readonly nextLink?: string | undefined;
}

type ObjectSchema = v.GenericSchema<JsonObject, JsonObject>;
type AnySchema = v.GenericSchema<unknown, unknown>;

export interface ToolDefinition<Input extends ObjectSchema, Answer extends AnySchema, Output extends ObjectSchema> {
  readonly name: string;
  readonly title: string;
  /** For the model: what it does, side effects, limits. */
  readonly description: string;
  readonly scopes: readonly GraphScope[];
  readonly annotations: ToolAnnotations;
  /** Rewrites accepted spellings into the canonical ones before `input` judges them. Pure. */
  readonly accept?: (raw: JsonObject) => JsonObject;
  readonly input: Input;
  /** Graph's answer as far as it is used; nothing else can leave. */
  readonly answer: Answer;
  readonly output: Output;
  /** Pure. */
  readonly build: (args: v.InferOutput<Input>, context: ToolContext) => GraphRequest;
  /** Pure. */
  readonly present: (answer: v.InferOutput<Answer>, args: v.InferOutput<Input>) => Presented<v.InferOutput<Output>>;
}

/** A tool whose parts were checked against each other by `defineTool`; the rest of the house needs no more. */
export type Tool = ToolDefinition<ObjectSchema, AnySchema, ObjectSchema>;

export function defineTool<Input extends ObjectSchema, Answer extends AnySchema, Output extends ObjectSchema>(
  definition: ToolDefinition<Input, Answer, Output>,
): Tool {
  // The engine hands `build` and `present` only what the schemas beside them have parsed.
  return definition as unknown as Tool;
}
