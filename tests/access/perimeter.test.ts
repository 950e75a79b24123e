import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeIdentity, type Perimeter } from "../../src/access/perimeter.ts";

const ADA = { subject: "https://team.example|ada", email: "ada@contoso.example" };
const BORIS = { subject: "https://team.example|boris", email: "boris@contoso.example" };
const ROBOT = { subject: "https://team.example|service:robot", email: undefined };

const JUDGED: readonly (readonly [
  what: string,
  bound: string | null,
  identity: Perimeter["identity"],
  isRequired: boolean,
  problem: ReturnType<typeof judgeIdentity>,
])[] = [
  ["AC-07: who approved the grant may use it", ADA.subject, ADA, true, undefined],
  ["AC-07: another person may not", ADA.subject, BORIS, true, "identity_mismatch"],
  ["AC-07: another person may not where Access is not required either", ADA.subject, BORIS, false, "identity_mismatch"],
  ["AC-07: nobody's grant is of no use to a person once Access is required", null, ADA, true, "unauthorized"],
  ["AC-07: nobody's grant is of no use to a listed service token either", null, ROBOT, true, "unauthorized"],
  ["AC-05: nobody's grant may be used where Access is not required", null, undefined, false, undefined],
  ["AC-05: and a person who shows an assertion all the same may use it", null, ADA, false, undefined],
  ["AC-04: a listed service token is compared with nobody", ADA.subject, ROBOT, true, undefined],
  ["AC-05: a hosted connector without Access uses a person's grant", ADA.subject, undefined, false, undefined],
];

for (const [what, bound, identity, isRequired, problem] of JUDGED) {
  test(what, () => assert.equal(judgeIdentity(bound, { identity, isRequired }), problem));
}
