import type { EpochSeconds } from "../core/time.ts";
import type { KeyRing } from "../crypto/keys.ts";
import type { Gateway } from "../egress/gateway.ts";
import type { Traffic } from "../graph/traffic.ts";
import type { Trace } from "../oauth/grants.ts";
import type { Log } from "../observe/log.ts";
import type { GrantStore } from "./grant-store.ts";
import type { MicrosoftSession } from "./microsoft-session.ts";

/** What the object's operations work with; one value per request. */
export interface AgentContext extends Trace, Gateway {
  readonly gid: string;
  readonly keys: KeyRing;
  readonly store: GrantStore;
  readonly microsoft: MicrosoftSession;
  /** Shared by all calls of the object. */
  readonly traffic: Traffic;
  /** One point per call: counts and times, nobody's data. */
  readonly metrics: AnalyticsEngineDataset | undefined;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly now: () => EpochSeconds;
}
