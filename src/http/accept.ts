/** Nothing of the header fits: no quality, and no place before or behind any other. */
const NO_RANGE = { quality: 0, place: Number.NaN };

/**
 * Whether somebody would rather have HTML than JSON (RFC 9110 §12.5.1): the range that fits a type best tells its
 * quality, and of two equal ones the header names the better one first. Who does not choose gets JSON.
 */
export function prefersHtml(accept: string | null): boolean {
  const ranges = (accept ?? "").split(",").map((range, place) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return { type, quality: Number(weight?.slice(2) ?? 1), place };
  });
  const [html = NO_RANGE, json = NO_RANGE] = [
    ["text/html", "text/*", "*/*"],
    ["application/json", "application/*", "*/*"],
  ].map((types) => types.flatMap((best) => ranges.filter(({ type }) => type === best))[0]);
  return html.quality > json.quality || (html.quality === json.quality && html.place < json.place);
}
