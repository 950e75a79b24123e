import { escapeHtml } from "../http/html.ts";

/** A whole tag of mail or Teams. Other words in angle brackets are addresses, links and types: as HTML they would be lost. */
const TAG =
  /<(!--|!doctype|\/?(a|abbr|article|at|attachment|b|blockquote|body|br|center|cite|code|del|details|div|dl|em|emoji|font|h[1-6]|hr|html|i|img|ins|kbd|li|mark|ol|p|pre|q|s|section|small|span|strike|strong|style|su[bp]|table|td|tr|u|ul)(\s[^<>=]*=[^<>]*|\s*\/?)>)/i;

/** Text with tags is meant as HTML; without them its lines would run together as HTML. */
export const formatOf = (text: string): "html" | "text" => (TAG.test(text) ? "html" : "text");

/** HTML as it is; text with its lines kept, for services that read everything as HTML. */
export function htmlOf(text: string, contentType = formatOf(text)): string {
  return contentType === "html" ? text : escapeHtml(text).replace(/\r?\n/g, "<br>");
}
