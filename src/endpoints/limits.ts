import { deriveMacKey } from "../crypto/keys.ts";
import { isWithinLimit, type Quota } from "../http/rate-limit.ts";
import { tokenKeys } from "../oauth/context.ts";
import type { Exchange } from "./exchange.ts";

/** Coarse limits per address and minute; the exact ones are in the grant's object. wrangler.toml repeats the numbers. */
const PER_MINUTE = {
  LIMIT_AUTHORIZE: 60,
  LIMIT_APPROVE: 30,
  LIMIT_REGISTER: 30,
  LIMIT_TOKEN: 600,
  LIMIT_REVOKE: 120,
  LIMIT_CALLS: 1200,
} as const;

export type LimitName = keyof typeof PER_MINUTE;

/** The quota that this address has used up, if it has. Without a binding, or keys to hide the address, there is none. */
export async function spentQuota(name: LimitName, { request, env, config }: Exchange): Promise<Quota | undefined> {
  const limiter = env[name];
  if (!limiter || !config.ok) return undefined;
  const key = await deriveMacKey((await tokenKeys(config.value))[0], "address");
  // A broken limiter must not lock anybody out of renewing a token; registering can wait.
  const mayGoOn = await isWithinLimit(limiter, request.headers, key, name !== "LIMIT_REGISTER");
  // The limiter does not say when it lets pass again, so its whole period is given.
  return mayGoOn ? undefined : { policy: "address", limit: PER_MINUTE[name], remaining: 0, resetSeconds: 60 };
}
