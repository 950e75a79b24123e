import * as v from "valibot";

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
export const select = (...schemas: readonly { readonly entries: object }[]): [name: string, value: string] => [
  "$select",
  schemas.flatMap(({ entries }) => Object.keys(entries)).join(),
];
