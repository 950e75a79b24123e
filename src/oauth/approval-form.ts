import * as v from "valibot";
import { parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { type Box, open, seal } from "../crypto/box.ts";
import type { KeyRing } from "../crypto/keys.ts";
import { isGrantId, mintGrantId } from "../crypto/token.ts";
import { GRAPH_SCOPES } from "../graph/scopes.ts";
import { FORM_LIFETIME_SECONDS } from "./grant/grant.ts";
import type { AuthorizationRequest } from "./grants.ts";

/** The approval form carries the request sealed, so that asking costs no storage and nothing can be changed in it. */
export interface ApprovalForm {
  /** Fixed here, so that every post of this form reaches the same grant object. */
  readonly gid: string;
  readonly expiresAt: EpochSeconds;
  readonly request: AuthorizationRequest;
}

const FORM = v.object({
  gid: v.pipe(v.string(), v.check(isGrantId)),
  expiresAt: v.number(),
  request: v.object({
    clientId: v.string(),
    redirectUri: v.string(),
    scopes: v.array(v.picklist(GRAPH_SCOPES)),
    resource: v.string(),
    codeChallenge: v.string(),
    state: v.optional(v.string()),
  }),
});

/** @param formCookie the value of the browser's form cookie; without it the form does not open */
export function sealApprovalForm(
  ring: KeyRing,
  request: AuthorizationRequest,
  formCookie: string,
  now: EpochSeconds,
): Promise<Box> {
  const form: ApprovalForm = { gid: mintGrantId(), expiresAt: addSeconds(now, FORM_LIFETIME_SECONDS), request };
  return seal(ring, place(formCookie), JSON.stringify(form));
}

export async function openApprovalForm(
  ring: KeyRing,
  box: string,
  formCookie: string,
  now: EpochSeconds,
): Promise<Result<ApprovalForm, "form_forged" | "form_expired">> {
  const opened = await open(ring, place(formCookie), box);
  if (!opened.ok) return err("form_forged");
  const value = parseJson(opened.value.plaintext);
  const form = v.safeParse(FORM, value.ok ? value.value : undefined);
  if (!form.success) return err("form_forged");
  // `state` is set again, because JSON drops a member that is undefined.
  const { gid, request } = form.output;
  const expiresAt = form.output.expiresAt as EpochSeconds;
  return now < expiresAt ? ok({ gid, expiresAt, request: { ...request, state: request.state } }) : err("form_expired");
}

function place(formCookie: string) {
  return { purpose: "form", owner: "", column: "approval", presented: formCookie } as const;
}
