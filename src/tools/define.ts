import type * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import type { FailureType } from "../graph/failure.ts";
import type { GraphRequest } from "../graph/request.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";
import type { Spellings } from "./accept.ts";

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

/** What a tool may know besides its arguments. */
export interface ToolContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The same for the same person, arguments and request, and for nothing else; empty where no tool asked for it. */
  readonly callKey: string;
  /** The page that a checked `pageToken` names. */
  readonly page: GraphPath | undefined;
  /** Where an `@odata.nextLink` leads; undefined when that is not Graph. */
  readonly follow: (nextLink: string | null | undefined) => GraphPath | undefined;
  /** Who is signed in, as `authenticate` shows it. */
  readonly session: JsonObject & { readonly user: JsonObject & { readonly displayName: string } };
}

/** What is wrong with an argument, where its schema alone cannot tell. */
export interface ArgumentProblem {
  readonly field: string;
  readonly description: string;
}

/** What a tool gives the client. */
export interface Presented<Output> {
  /** The sentence; without it the value itself is shown as pretty JSON. */
  readonly text?: string;
  readonly structured: Output;
  /** `@odata.nextLink` as Graph gave it; becomes `nextPageToken`. */
  readonly nextLink?: string | null | undefined;
}

type ObjectSchema = v.GenericSchema<JsonObject, JsonObject> & { readonly entries?: JsonObject | v.ObjectEntries };
type AnySchema = v.GenericSchema<unknown, unknown>;

/** One for each request that Graph carried out. A tool without requests gets what its schema makes of `undefined`. */
export type Answers<Answer> = readonly [Answer, ...Answer[]];

export interface ToolDefinition<Input extends ObjectSchema, Answer extends AnySchema, Output extends ObjectSchema>
  extends Spellings {
  readonly name: string;
  /** For the model: what it does, side effects, limits. */
  readonly description: string;
  readonly scopes: readonly GraphScope[];
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  /** Graph's answers as far as they are used; nothing else can leave. */
  readonly answer: Answer;
  readonly output: Output;
  /** The member of `output` that is the list: it alone is shown as text, and it gives way when a result is too large. */
  readonly list?: string;
  /** Whether `build` reads `callKey`. */
  readonly usesCallKey?: true;
  /** What to do about a failure, where this tool knows better. */
  readonly hints?: { readonly [Type in FailureType]?: string };
  /** The first request; undefined when none is needed. Pure. */
  readonly build: (args: v.InferOutput<Input>, context: ToolContext) => GraphRequest | ArgumentProblem | undefined;
  /** The request after those that were answered; undefined when all is done. Pure. */
  readonly next?: (
    answers: Answers<v.InferOutput<Answer>>,
    args: v.InferOutput<Input>,
    context: ToolContext,
  ) => GraphRequest | undefined;
  /** Pure. */
  readonly present: (
    answers: Answers<v.InferOutput<Answer>>,
    args: v.InferOutput<Input>,
    context: ToolContext,
  ) => Presented<v.InferOutput<Output>>;
}

/** A tool whose parts were checked against each other by `defineTool`; the rest of the house needs no more. */
export type Tool = ToolDefinition<ObjectSchema, AnySchema, ObjectSchema>;

export function defineTool<Input extends ObjectSchema, Answer extends AnySchema, Output extends ObjectSchema>(
  definition: ToolDefinition<Input, Answer, Output>,
): Tool {
  // The engine hands `build` and `present` only what the schemas beside them have parsed.
  return definition as unknown as Tool;
}
