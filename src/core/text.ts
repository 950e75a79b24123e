/** Text that is safe to put on one line. */

/** C0, DEL, C1, and the marks that reorder text on a screen (Unicode bidirectional controls). */
const CONTROL = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** The first characters of a text; never cuts a surrogate pair in two. */
export function clipText(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, "");
}

/** The name of a tool, resource or prompt for people: `getEmails` is `Get Emails`. */
export const titleOf = (name: string): string =>
  name.replace(/^.|[A-Z]/g, (letter, at: number) => (at === 0 ? letter.toUpperCase() : ` ${letter}`));
