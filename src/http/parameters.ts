import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Parameters of a query or a form, each name once. */
export type Parameters = { readonly [name: string]: string | undefined };

export interface RepeatedParameter {
  readonly reason: "parameter_repeated";
  readonly name: string;
  /** The parameters that stood there once; enough to find out where an error may go. */
  readonly single: Parameters;
}

export type FormProblem =
  | RepeatedParameter
  | { readonly reason: "form_content_type" | "form_malformed" | "body_too_large" };

/** RFC 6749 §3.1, §3.2: parameters must not be included more than once, and one without a value counts as omitted. */
export function readParameters(search: URLSearchParams): Result<Parameters, RepeatedParameter> {
  const single: Record<string, string> = Object.create(null);
  const repeated: string[] = [];
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    if (values.length > 1) repeated.push(name);
    else if (values[0] !== undefined && values[0] !== "") single[name] = values[0];
  }
  const [first] = repeated;
  return first === undefined ? ok(single) : err({ reason: "parameter_repeated", name: first, single });
}

/** Reads an `application/x-www-form-urlencoded` body up to a bound. */
export async function readForm(request: Request, maxBytes: number): Promise<Result<Parameters, FormProblem>> {
  const mediaType = (request.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/x-www-form-urlencoded") return err({ reason: "form_content_type" });
  const bytes = await readBody(request, maxBytes);
  if (!bytes.ok) return err({ reason: bytes.error });
  const text = readUtf8(bytes.value);
  if (text === undefined) return err({ reason: "form_malformed" });
  return readParameters(new URLSearchParams(text));
}
