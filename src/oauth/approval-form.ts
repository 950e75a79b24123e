import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { type Box, openValue, sealValue } from "../crypto/box.ts";
import type { KeyRing } from "../crypto/keys.ts";
import { mintGrantId } from "../crypto/token.ts";
import { FORM_LIFETIME_SECONDS } from "./grant/grant.ts";
import type { AuthorizationRequest } from "./grants.ts";

/** The approval form carries the request sealed, so that asking costs no storage and nothing can be changed in it. */
export interface ApprovalForm {
  /** Fixed here, so that every post of this form reaches the same grant object. */
  readonly gid: string;
  readonly expiresAt: EpochSeconds;
  readonly request: AuthorizationRequest;
}

/** @param formCookie the value of the browser's form cookie; without it the form does not open */
export function sealApprovalForm(
  ring: KeyRing,
  request: AuthorizationRequest,
  formCookie: string,
  now: EpochSeconds,
): Promise<Box> {
  const form: ApprovalForm = { gid: mintGrantId(), expiresAt: addSeconds(now, FORM_LIFETIME_SECONDS), request };
  return sealValue(ring, place(formCookie), form);
}

export async function openApprovalForm(
  ring: KeyRing,
  box: string,
  formCookie: string,
  now: EpochSeconds,
): Promise<Result<ApprovalForm, "form_forged" | "form_expired">> {
  const form = await openValue<ApprovalForm>(ring, place(formCookie), box);
  if (form === undefined) return err("form_forged");
  return now < form.expiresAt ? ok(form) : err("form_expired");
}

function place(formCookie: string) {
  return ["form", "", "approval", formCookie] as const;
}
