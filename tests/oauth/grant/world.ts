import assert from "node:assert/strict";
import { addSeconds, type EpochSeconds, earlier } from "../../../src/core/time.ts";
import type { GraphScope } from "../../../src/graph/scopes.ts";
import { checkAccess, revokeToken } from "../../../src/oauth/grant/access.ts";
import { redeemCode } from "../../../src/oauth/grant/code.ts";
import { deadline, endGrant, expireGrant } from "../../../src/oauth/grant/end.ts";
import {
  FORM_LIFETIME_SECONDS,
  GRANT_LIFETIME_SECONDS,
  type Grant,
  MAX_ACCESS_TOKENS,
  REPLAY_WINDOW_SECONDS,
} from "../../../src/oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../../../src/oauth/grant/login.ts";
import { rotateRefresh } from "../../../src/oauth/grant/refresh.ts";
import { after, authorization, CALLBACK, freshLogin, login, redemption, rotation, SCOPES, T } from "./life.ts";

export const EVENTS = [
  "begin",
  "claim",
  "complete",
  "redeem",
  "refresh",
  "revoke access",
  "revoke refresh",
  "alarm",
  "end",
] as const;

/** One event in the life of a grant, as a random generator draws it. */
export interface Step {
  readonly event: (typeof EVENTS)[number];
  /** Time passes before it, and never runs back. */
  readonly waitSeconds: number;
  /** Which of the tokens handed out so far is presented, counted from the newest. */
  readonly back: number;
  /** What of the presented things is somebody else's. */
  readonly wrong: "nothing" | "secret" | "client" | "verifier" | "browser";
  readonly isNarrow: boolean;
}

/** However often it is refreshed, nothing lives longer. */
const END = after(GRANT_LIFETIME_SECONDS);

interface Issued {
  readonly hash: string;
  readonly expiresAt: EpochSeconds;
  readonly scopes: readonly GraphScope[];
}

interface Generation {
  readonly hash: string;
  readonly expiresAt: EpochSeconds;
  rotatedAt?: EpochSeconds;
}

/**
 * One grant, whoever may ask it for something, and a second account of what it handed out. After every event the two
 * are compared.
 */
export class World {
  /** Everything that happened, for the check that the random lives reach all of it. */
  readonly seen = new Set<string>();
  #grant: Grant | undefined;
  #now: EpochSeconds = T;
  #drawn = 0;
  #starts = 0;
  #claims = 0;
  #isOver = false;
  readonly #codes = new Map<string, number>();
  readonly #access: Issued[] = [];
  readonly #revoked = new Set<string>();
  readonly #generations: Generation[] = [];

  run(step: Step): void {
    this.#now = addSeconds(this.#now, step.waitSeconds);
    this.#drawn += 1;
    const before = this.#grant;
    const outcome = this.#apply(step);
    this.seen.add(`${step.event}: ${outcome}`);
    this.#check(before, step, outcome);
  }

  #apply(step: Step): string {
    switch (step.event) {
      case "begin":
        return this.#begin(step);
      case "claim":
        return this.#claim(step);
      case "complete":
        return this.#complete();
      case "redeem":
        return this.#redeem(step);
      case "refresh":
        return this.#refresh(step);
      case "revoke access":
        return this.#revoke(false, pick(this.#access, step.back)?.hash ?? "none", step);
      case "revoke refresh":
        return this.#revoke(true, pick(this.#generations, step.back)?.hash ?? "none", step);
      case "alarm":
        return this.#alarm();
      case "end":
        // Rare, or no life would get far: Microsoft ends the sign-in.
        if (this.#grant === undefined || step.back % 8 !== 7) return "not now";
        this.#grant = endGrant(this.#grant, "microsoft_ended");
        return "ended";
    }
  }

  #begin({ wrong }: Step): string {
    // The Worker opens no form that has expired.
    if (this.#now >= after(FORM_LIFETIME_SECONDS)) return "form expired";
    const changes = wrong === "browser" ? { formCookieHash: "other" } : {};
    const { next, outcome } = beginLogin(this.#grant, freshLogin(this.#now, changes));
    this.#grant = next;
    if (outcome.kind === "started") this.#starts += 1;
    return outcome.kind;
  }

  #claim({ wrong }: Step): string {
    const presented = {
      stateHash: wrong === "secret" ? "forged" : CALLBACK.stateHash,
      loginCookieHash: wrong === "browser" ? "other" : CALLBACK.loginCookieHash,
    };
    const { next, outcome } = claimLogin(this.#grant, presented, this.#now);
    this.#grant = next;
    if (outcome.kind === "claimed") this.#claims += 1;
    return outcome.kind === "claimed" ? "claimed" : outcome.reason;
  }

  #complete(): string {
    const hash = `code-${this.#drawn}`;
    const { code } = login(this.#now);
    const { next, outcome } = completeLogin(this.#grant, { authorization: authorization(), code: { ...code, hash } });
    this.#grant = next;
    if (outcome.kind === "coded") this.#codes.set(hash, 0);
    return outcome.kind;
  }

  #redeem({ back, wrong }: Step): string {
    const codeHash = wrong === "secret" ? "forged" : (pick([...this.#codes.keys()], back) ?? "never issued");
    const drawn = redemption(this.#now);
    const presented = redemption(this.#now, {
      accessExpiresAt: earlier(drawn.accessExpiresAt, END),
      refreshExpiresAt: earlier(drawn.refreshExpiresAt, END),
      codeHash,
      clientId: wrong === "client" ? "other" : "client",
      computedChallenge: wrong === "verifier" ? "wrong" : "challenge",
      accessHash: `access-${this.#drawn}`,
      refreshHash: `refresh-${this.#drawn}`,
    });
    const { next, outcome } = redeemCode(this.#grant, presented, this.#now);
    this.#grant = next;
    if (outcome.kind === "refused") return outcome.reason;
    this.#codes.set(codeHash, (this.#codes.get(codeHash) ?? 0) + 1);
    this.#access.push({ hash: presented.accessHash, expiresAt: presented.accessExpiresAt, scopes: SCOPES });
    this.#generations.push({ hash: presented.refreshHash, expiresAt: presented.refreshExpiresAt });
    return outcome.kind;
  }

  #refresh({ back, wrong, isNarrow }: Step): string {
    // The Worker lets no token pass whose tag is not ours.
    if (wrong === "secret") return "forged";
    const generation = pick(this.#generations, back);
    const refreshHash = generation?.hash ?? "never issued";
    const drawn = rotation(refreshHash, this.#drawn, this.#now);
    const presented = rotation(refreshHash, this.#drawn, this.#now, {
      accessExpiresAt: earlier(drawn.accessExpiresAt, END),
      successorExpiresAt: earlier(drawn.successorExpiresAt, END),
      clientId: wrong === "client" ? "other" : "client",
      scopes: isNarrow ? ["Mail.Read"] : undefined,
    });
    const expected = this.#expectedRefresh(generation, presented.clientId);
    const { next, outcome } = rotateRefresh(this.#grant, presented, this.#now);
    const answer = outcome.kind === "refused" ? outcome.reason : outcome.kind;
    assert.equal(answer, expected, "the refresh token means something else");
    this.#grant = next;
    if (outcome.kind === "refused") return answer;
    this.#access.push({ hash: presented.accessHash, expiresAt: presented.accessExpiresAt, scopes: outcome.scopes });
    if (outcome.kind === "rotated") {
      if (generation !== undefined) generation.rotatedAt = this.#now;
      this.#generations.push({ hash: presented.successorHash, expiresAt: presented.successorExpiresAt });
    } else {
      const successor = this.#generations.at(-1)?.hash;
      assert.equal(outcome.successorBox, `v1.box.of.${successor}`, "a second successor for one refresh token");
    }
    return answer;
  }

  /** The table of OA-08, written once more from the history instead of from what is stored. */
  #expectedRefresh(presented: Generation | undefined, clientId: string): string {
    if (this.#grant?.state !== "active" || presented === undefined) return "refresh_unknown";
    const age = this.#generations.length - 1 - this.#generations.indexOf(presented);
    if (age === 0 && this.#now >= presented.expiresAt) return "refresh_unknown";
    if (clientId !== "client") return "client_mismatch";
    const isInTime = this.#now - (presented.rotatedAt ?? 0) <= REPLAY_WINDOW_SECONDS;
    if (age > 1 || (age === 1 && !isInTime)) return "refresh_reused";
    // Nothing is issued in the last minute of a grant.
    if (this.#now > END - 60) return "refresh_unknown";
    return age === 0 ? "rotated" : "repeated";
  }

  #revoke(isRefresh: boolean, known: string, { wrong }: Step): string {
    // The Worker lets no token pass whose tag is not ours.
    if (wrong === "secret" && isRefresh) return "forged";
    const hash = wrong === "secret" ? "forged" : known;
    const clientId = wrong === "client" ? "other" : "client";
    const presented = { isRefresh, hash, clientId };
    const { next, outcome } = revokeToken(this.#grant, presented);
    this.#grant = next;
    if (outcome === "access_removed") this.#revoked.add(hash);
    return outcome;
  }

  #alarm(): string {
    if (this.#grant === undefined) return "nothing there";
    const isDue = this.#now >= deadline(this.#grant);
    this.#grant = expireGrant(this.#grant, this.#now);
    if (!isDue) return "early";
    return this.#grant === undefined ? "gone" : "marked";
  }

  #check(before: Grant | undefined, { event, wrong }: Step, outcome: string): void {
    const grant = this.#grant;
    const state = grant?.state;
    assert.ok(this.#starts <= 1, "one form started two logins");
    assert.ok(this.#claims <= 1, "one login was claimed twice");
    for (const [hash, uses] of this.#codes) assert.ok(uses <= 1, `${hash} was redeemed ${uses} times`);
    const liveCodes = [...this.#codes.keys()].filter((hash) => this.#wouldRedeem(hash));
    assert.ok(liveCodes.length <= 1, `two live codes: ${liveCodes}`);

    if (this.#isOver) assert.ok(state === "ended" || state === undefined, `an ended grant came back as ${state}`);
    this.#isOver ||= state === "ended" || (state === undefined && before !== undefined);

    if (state === "active") {
      assert.ok(grant?.state === "active" && grant.access.length <= MAX_ACCESS_TOKENS, "too many access tokens");
      if (grant.access.length === MAX_ACCESS_TOKENS) this.seen.add("bound: access tokens");
      assert.equal(grant.refresh.current, this.#generations.at(-1)?.hash, "the current refresh token is another one");
    }
    // What somebody else's client, or a made-up secret, could ever do: nothing.
    const isForged =
      wrong === "secret" && event !== "begin" && event !== "complete" && event !== "alarm" && event !== "end";
    if (isForged) assert.equal(grant, before, "a forged secret changed the grant");
    if (outcome === "client_mismatch" && event === "refresh") assert.equal(grant, before, "another client changed it");
    this.#checkAccessTokens();
  }

  /** Alive are exactly the newest 20 of those that were handed out, have not expired and were not revoked. */
  #checkAccessTokens(): void {
    const newest = this.#access.length - MAX_ACCESS_TOKENS - 3;
    for (const [index, token] of this.#access.entries()) {
      // Every old one in turn; all of them every time would be most of the work.
      if (index < newest && index !== this.#drawn % newest) continue;
      const alive = checkAccess(this.#grant, token.hash, this.#now);
      const isDead = this.#isOver || this.#now >= token.expiresAt || this.#revoked.has(token.hash);
      if (isDead) assert.equal(alive, undefined, `${token.hash} lives on`);
      else if (this.#access.length - index <= MAX_ACCESS_TOKENS)
        assert.deepEqual(alive?.scopes, token.scopes, token.hash);
    }
  }

  #wouldRedeem(codeHash: string): boolean {
    return redeemCode(this.#grant, redemption(this.#now, { codeHash }), this.#now).outcome.kind === "redeemed";
  }
}

function pick<Item>(items: readonly Item[], back: number): Item | undefined {
  return items.at(-1 - (back % Math.max(1, items.length)));
}
