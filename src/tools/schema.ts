import * as v from "valibot";
import { hasControlCharacters } from "../core/text.ts";
import { isPlainSegment, isSafeSegment } from "../graph/url.ts";

/** Arguments that several tools take. */

export const described = <Schema extends v.GenericSchema>(schema: Schema, description: string) =>
  v.pipe(schema, v.description(description));

export const integer = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

export const longText = (most: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(most));

/** A line break in a subject would be a header of its own in some mail systems. */
export const line = (most: number) =>
  v.pipe(
    longText(most),
    v.check((text) => !hasControlCharacters(text), "must be one line"),
  );

/** What is looked for: quotes and backslashes, which no search can hold, are nothing alone. */
export const words = (most: number) =>
  v.pipe(
    line(most),
    v.check((text) => /[^\s"\\]/.test(text), "must not be blank"),
  );

/** An id that some answer of Graph gave, as a segment of a path. */
const idThat = (isId: (text: string) => boolean) => v.pipe(v.string(), v.check(isId, "must be an id that a tool gave"));
export const Id = idThat(isSafeSegment);
/** Of a team or a channel. */
export const TeamsId = idThat(isPlainSegment);

/** Graph: outlook-immutable-id */
export const IMMUTABLE_IDS = 'IdType="ImmutableId"';

export const ContentType = v.picklist(["html", "text"]);

/** Opaque to clients; sealed and opened by the grant's object, which knows whose it is. A search may make a link of 30,000. */
export const PageToken = v.optional(described(longText(65_536), "nextPageToken of the last result."));

export const NextPageToken = v.optional(v.string());
