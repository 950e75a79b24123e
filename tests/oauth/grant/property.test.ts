// ST-06: random lives of one grant. What must hold in each is in world.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EVENTS, type Step, World } from "./world.ts";

const WAITS = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 3 }) },
  { weight: 3, arbitrary: fc.constantFrom(59, 60, 61, 300, 599, 600, 601) },
  { weight: 2, arbitrary: fc.constantFrom(3599, 3600, 3601) },
  { weight: 1, arbitrary: fc.constantFrom(86_400, 30 * 86_400 - 1, 30 * 86_400) },
);

function steps(events: readonly Step["event"][], isMostlyHonest: boolean) {
  const wrong = fc.constantFrom<Step["wrong"]>("secret", "client", "verifier", "browser");
  const nothing = fc.constant<Step["wrong"]>("nothing");
  return fc.record<Step>({
    event: fc.constantFrom(...events),
    waitSeconds: isMostlyHonest
      ? fc.oneof({ weight: 60, arbitrary: fc.nat({ max: 3 }) }, { weight: 1, arbitrary: WAITS })
      : WAITS,
    back: fc.oneof(
      { weight: isMostlyHonest ? 60 : 6, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.nat({ max: 40 }) },
    ),
    wrong: fc.oneof({ weight: isMostlyHonest ? 12 : 4, arbitrary: nothing }, { weight: 1, arbitrary: wrong }),
    isNarrow: fc.boolean(),
  });
}

function honest(event: Step["event"]): Step {
  return { event, waitSeconds: 1, back: 0, wrong: "nothing", isNarrow: false };
}

const SIGNED_IN = [honest("begin"), honest("claim"), honest("complete"), honest("redeem")];

/** From nothing, every event as likely as any other. */
const EARLY_LIFE = fc.array(steps(EVENTS, false), { minLength: 1, maxLength: 60 });

/** Part of a sign-in as a client would do it, with something between, and then anything. */
const STIRRED = fc
  .tuple(
    fc.nat({ max: 4 }),
    fc.array(steps(EVENTS, true), { maxLength: 4 }),
    fc.array(steps(EVENTS, false), { maxLength: 30 }),
  )
  .map(([length, between, later]) => [
    ...SIGNED_IN.slice(0, length).flatMap((step, index) => [step, ...between.slice(index, index + 1)]),
    ...later,
  ]);

/** Signed in, then refreshed again and again, so that every bound is reached. */
const LONG_LIFE = fc
  .tuple(
    fc.array(steps(["refresh", "refresh", "refresh", "refresh", "revoke access", "alarm"], true), {
      minLength: 30,
      maxLength: 80,
    }),
    fc.array(steps(EVENTS, false), { maxLength: 10 }),
  )
  .map(([refreshes, later]) => [...SIGNED_IN, ...refreshes, ...later]);

function live(life: readonly Step[]): World {
  const world = new World();
  for (const step of life) world.run(step);
  return world;
}

const LIVES = [
  ["from nothing", EARLY_LIFE, 500],
  ["with a sign-in somewhere between", STIRRED, 1000],
  ["with many refreshes", LONG_LIFE, 60],
] as const;

for (const [what, life, numRuns] of LIVES) {
  test(`ST-06: random lives ${what} keep one code, one use, one successor, the bounds, and an end that lasts`, () => {
    fc.assert(
      fc.property(life, (chosen) => {
        live(chosen);
      }),
      { numRuns },
    );
  });
}

/** A property that never meets the case it is about proves nothing. */
const REACHED = [
  "begin: started",
  "begin: already_started",
  "begin: used",
  "claim: claimed",
  "claim: browser_mismatch",
  "claim: login_unknown",
  "claim: login_over",
  "complete: coded",
  "complete: login_over",
  "redeem: redeemed",
  "redeem: code_unknown",
  "redeem: code_expired",
  "redeem: client_mismatch",
  "redeem: verifier_mismatch",
  "redeem: code_replayed",
  "refresh: rotated",
  "refresh: repeated",
  "refresh: refresh_reused",
  "refresh: refresh_unknown",
  "refresh: client_mismatch",
  "revoke access: access_removed",
  "revoke access: unchanged",
  "revoke refresh: ended",
  "alarm: early",
  "alarm: marked",
  "alarm: gone",
  "end: ended",
  "bound: access tokens",
];

test("self-check: the random lives reach every outcome", () => {
  const seen = new Set<string>();
  for (const [, life, numRuns] of LIVES) {
    for (const chosen of fc.sample<readonly Step[]>(life, { seed: 1, numRuns }))
      for (const one of live(chosen).seen) seen.add(one);
  }
  assert.deepEqual(
    REACHED.filter((outcome) => !seen.has(outcome)),
    [],
  );
});
