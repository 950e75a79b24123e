import * as v from "valibot";
import { hasControlCharacters } from "../core/text.ts";
import { isSafeSegment } from "../graph/url.ts";

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

/** An id that some answer of Graph gave, as a segment of a path. */
export const Id = v.pipe(longText(1024), v.check(isSafeSegment, "must be an id as another tool gave it"));

export const ContentType = v.picklist(["html", "text"]);

/** Opaque to clients; sealed and opened by the grant's object, which knows whose it is. */
export const PageToken = v.optional(
  described(v.pipe(v.string(), v.maxLength(4096)), "nextPageToken of the last result; other arguments as before."),
);

/** Members of Graph's answers: whatever may be null or missing has a plain value here. */

export const Text = v.nullish(v.string(), "");
export const Flag = v.nullish(v.boolean(), false);
export const list = <Item extends v.GenericSchema>(item: Item) => v.nullish(v.array(item), []);

/** Graph: emailAddress inside recipient, attendee and organizer. */
export const addressed = <Entries extends v.ObjectEntries>(more: Entries) =>
  v.object({ emailAddress: v.nullish(v.object({ name: Text, address: Text }), {}), ...more });

export const Recipient = addressed({});

/** Graph: paging. */
export const page = <Item extends v.GenericSchema>(item: Item) =>
  v.object({ value: v.array(item), "@odata.nextLink": v.nullish(v.string()) });

/** Exactly what is read is asked for. */
export const select = (...schemas: readonly { readonly entries: object }[]): [string, string] => [
  "$select",
  schemas.flatMap(({ entries }) => Object.keys(entries)).join(),
];

export const NextPageToken = v.optional(v.string());
