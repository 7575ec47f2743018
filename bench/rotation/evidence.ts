/** The facts that the processes of a run write down, and that the judge and the accounts read. */

/** Epoch milliseconds. */
export interface Span {
  from: number;
  to: number;
}

/** Milliseconds of the event loop. */
export interface Delay {
  p99: number;
  max: number;
}

export interface LockFact {
  askedAt: number;
  grantedAt: number;
  person: number;
  /** Its name in Redis. */
  name: string;
  holder: string;
  /** When its holder gave it back; Infinity when it never did. */
  until: number;
  /** Redis was not told that it has ended. */
  isHeld: boolean;
}

export interface TokenFact {
  asked: number;
  given: number;
  grant: number;
  generation: number;
}

export interface CallFact extends Span {
  person: number;
  /** Of the error; null for an answer. */
  code: string | null;
  status: number | null;
}

/** The journal of one process. */
export interface JournalFacts {
  lastBeat: number;
  stalls: Span[];
  pauses: (Span & { person: number })[];
  delay: Delay;
  locks: LockFact[];
  /** When the write of a pair began, and when it ended, by the name of the pair. */
  sent: Map<string, number>;
  stored: Map<string, number>;
  tokens: TokenFact[];
  calls: CallFact[];
  skipped: number;
}

export interface Generation {
  /** The worker that asked for it. */
  by: string;
  receivedAt: number;
  issuedAt: number;
  /** When it was sent; null for an answer that never left. */
  answeredAt: number | null;
  /** Milliseconds. */
  lifetime: number;
  fault?: string | undefined;
  /** When the first request came with its token: it was in the store by then. */
  usedAt: number | null;
  /** True if the worker that wanted to refresh it was killed before that. */
  cutOff?: boolean;
}

export interface Grant {
  person: number;
  revokedAt: number | null;
  generations: Generation[];
}

/** A refresh token that came twice, which ended its grant; `generation` is the one that it had given. */
export interface Replay {
  grant: number;
  generation: number;
  receivedAt: number;
  isUsed: boolean;
}

export interface DeadToken {
  grant: number;
  generation: number;
  isEnded: boolean;
  given: number;
  by: string;
}

export interface ProviderLog {
  grants: Grant[];
  /** Refreshes that gave a new pair, and those among them of a generation that was cut off before. */
  accepted: number;
  recovered: number;
  /** Refreshes of a generation so young that they were not needed. */
  early: number;
  /** Refresh requests whose sender was gone before the rotation, and before the answer. */
  cutOffBefore: number;
  cutOffAfter: number;
  /** Refreshes with a refresh token of a grant that had ended. */
  ofEndedGrant: number;
  replays: Replay[];
  /** Each fault: its kind, its person, and when its request came. */
  faults: { kind: string; person: number; at: number }[];
  closedIdle: number;
  /** API requests, by the state of the token. */
  good: number;
  dead: DeadToken[];
  diedOnTheWay: number;
  /** Those with an older token than one that was in use before it was asked for. */
  stale: number;
  stalls: Span[];
  delay: Delay;
  isClockSet: boolean;
}

/** People by the tokens that they have in the end. */
export interface AtTheEnd {
  good: number;
  lost: number;
  waiting: number;
  wrong: number;
  errors: Record<string, number>;
}

/** All that a run is judged by. */
export interface Evidence {
  /** Milliseconds of the library's client, and of a lock. */
  timeout: number;
  lock: number;
  beganAt: number;
  endedAt: number;
  /** Refreshes while there was load. */
  underLoad: number;
  locksRemovedAt: number;
  log: ProviderLog;
  killed: Map<string, Death>;
  killedAtMoment: number;
  journals: Map<string, JournalFacts>;
  outages: Span[];
  redisStalls: Span[];
  ownStalls: Span[];
  ownDelay: Delay;
  isClockSet: boolean;
  people: { wronged: number; again: number };
  atTheEnd: AtTheEnd;
}

export interface Death {
  at: number;
  endedAt: number;
}
