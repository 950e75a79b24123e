import { escapeHtml } from "../http/html.ts";

/** Text with tags is meant as HTML; without them its lines would run together as HTML. */
export const formatOf = (text: string): "html" | "text" => (/<[a-z/!]/i.test(text) ? "html" : "text");

/** HTML as it is; text with its lines kept, for services that read everything as HTML. */
export function htmlOf(text: string, contentType = formatOf(text)): string {
  return contentType === "html" ? text : escapeHtml(text).replace(/\r?\n/g, "<br>");
}
