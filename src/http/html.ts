/** HTML with escaping by construction: `html` escapes all text put into it, and only what is `Markup` goes in as it is. */
export class Markup {
  readonly #text: string;

  /** @param text markup of our own, never anything that was received */
  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }
}

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

type Part = string | number | Markup | undefined | readonly Markup[];

/** Safe in element content and in quoted attribute values; never put text into a script, a style or a URL scheme. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = strings[0] ?? "";
  parts.forEach((part, index) => {
    text += render(part) + (strings[index + 1] ?? "");
  });
  return new Markup(text);
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map((markup) => markup.text).join("");
  return escapeHtml(String(part));
}
