import * as v from "valibot";

/** Opaque to clients; sealed and opened by the grant's object, which knows whose it is. */
export const PageToken = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.description("nextPageToken of the previous result, for the page after it. Give the other arguments as before."),
);

export const NextPageToken = v.optional(v.string());
