/**
 * Judges each grant that was lost, and each pair that was not stored at once: by the journals of the
 * workers, the provider's log, and the times at which a process was killed or did not run.
 */
import type { Evidence, Generation, LockFact, Replay, Span } from './evidence';
import { BEAT_NOTE_MS, nameOf } from './journal';

/** A worker that runs begins to store a pair within this time of the provider's answer, and ends within it. */
export const PROMPT_MS = 500;

/** Differences that the clock's resolution and the order of two log lines make. */
export const INEXACT_MS = 50;

/** A loss after processes did not run, or Redis was away, for this long under one lock is put down to that. */
const BUSY_MS = 1000;

/** Why a grant may be lost, by the names in the figures. */
export const EXPLANATIONS = {
  killed: 'killed between answer and write',
  held: 'stood still for longer than the lock',
  unanswered: 'rotated by the provider, never answered',
};

/** Milliseconds of [from, to] that are in at least one of the spans. */
export function overlap(spans: readonly Span[], from: number, to: number): number {
  let sum = 0;
  let counted = from;
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const begin = Math.max(span.from, counted);
    const end = Math.min(span.to, to);
    if (end <= begin) continue;
    sum += end - begin;
    counted = end;
  }
  return sum;
}

/** The members of a list, by their person. */
export function group<T extends { person: number }>(list: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const one of list) {
    const members = groups.get(one.person) ?? [];
    members.push(one);
    groups.set(one.person, members);
  }
  return groups;
}

/**
 * How long a step took:
 * - `prompt`: as long as it may;
 * - `stalled`: longer, and a stall of its process is the whole reason;
 * - `busy`: longer, and a stall may be a part of the reason;
 * - `late`: longer, in a process that ran.
 */
const DELAYS_FROM_WORST = ['late', 'busy', 'stalled', 'prompt'] as const;
export type Promptness = (typeof DELAYS_FROM_WORST)[number];
export type Loss = keyof typeof EXPLANATIONS | 'busy' | 'unexplained';

export class Judge {
  readonly #evidence: Evidence;
  readonly #stalls = new Map<string, Span[]>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** @returns a name of {@link EXPLANATIONS}; or `busy` when the machine was too busy to judge */
  loss(replay: Replay): Loss {
    const { log, journals } = this.#evidence;
    const pair = log.grants[replay.grant]?.generations[replay.generation];
    if (!pair) return 'unexplained';
    const journal = journals.get(pair.by);
    const name = nameOf(replay.grant, replay.generation);
    // The store had the pair. No process may send the old refresh token from then on.
    if (replay.isUsed || !journal || (journal.stored.get(name) ?? Infinity) < replay.receivedAt) {
      return 'unexplained';
    }
    if (isNeverAnswered(pair)) return 'unanswered';
    const delay = this.#killed(replay, pair, journal.sent.get(name));
    if (delay === 'prompt' || delay === 'stalled') return 'killed';
    if (this.#stoodStill(replay.grant, pair, replay.receivedAt)) return 'held';
    return delay === 'busy' || this.#wasBusy(replay, pair) ? 'busy' : 'unexplained';
  }

  /** @returns how long a pair waited for its write to begin, as {@link DELAYS_FROM_WORST} */
  write(grant: number, generation: number): Promptness {
    const { log, journals, endedAt, killed } = this.#evidence;
    const pair = log.grants[grant]?.generations[generation];
    const journal = journals.get(pair?.by ?? '');
    if (!pair || !journal || pair.answeredAt === null) return 'prompt';
    if (this.#stoodStill(grant, pair, Infinity)) return 'prompt';
    const sentAt = journal.sent.get(nameOf(grant, generation)) ?? Infinity;
    const until = Math.min(sentAt, killed.get(pair.by)?.at ?? Infinity, endedAt);
    return this.#delayOf(pair.by, pair.answeredAt, until);
  }

  /** @returns how many pairs this worker had asked for, and not stored, when it was killed */
  underWay(name: string): number {
    const { log, journals } = this.#evidence;
    const journal = journals.get(name);
    if (!journal) return 0;
    const isOpen = (pair: Generation, grant: number, generation: number) => {
      const pairName = nameOf(grant, generation);
      const isUnstored =
        pair.by === name && !isNeverAnswered(pair) && !journal.stored.has(pairName);
      return isUnstored && this.#deathOf(pair, journal.sent.get(pairName)) !== 'late';
    };
    return log.grants.reduce(
      (sum, { generations }, grant) =>
        sum + generations.filter((pair, generation) => isOpen(pair, grant, generation)).length,
      0,
    );
  }

  /** @returns how many locks were given away while another worker surely had them */
  sharedLocks(): number {
    const { journals, lock, locksRemovedAt } = this.#evidence;
    const byPerson = group([...journals.values()].flatMap(({ locks }) => locks));
    const isShared = (one: LockFact) =>
      one.grantedAt < locksRemovedAt &&
      (byPerson.get(one.person) ?? []).some(
        (other) =>
          one.askedAt > other.grantedAt &&
          one.grantedAt < Math.min(other.until, other.askedAt + lock),
      );
    return [...byPerson.values()].flat().filter(isShared).length;
  }

  /** When a worker, or this program, did not run. */
  stalls(name: string): Span[] {
    const { journals, killed, ownStalls } = this.#evidence;
    const known = this.#stalls.get(name);
    if (known) return known;
    const journal = journals.get(name);
    const spans = [...(journal?.stalls ?? []), ...ownStalls];
    const death = killed.get(name);
    // It may have been killed while it did not run.
    if (death && journal) spans.push({ from: journal.lastBeat + BEAT_NOTE_MS, to: death.at });
    this.#stalls.set(name, spans);
    return spans;
  }

  /** @param more milliseconds for which there is another reason */
  #delayOf(name: string, from: number, to: number, more = 0): Promptness {
    const overdue = to - from - PROMPT_MS - more;
    if (overdue <= 0) return 'prompt';
    const stalled = overlap(this.stalls(name), from, to);
    if (stalled === 0) return 'late';
    return overdue <= stalled + INEXACT_MS ? 'stalled' : 'busy';
  }

  /** @returns `late` when the worker was not killed, or not between the answer and the end of its write */
  #killed(replay: Replay, pair: Generation, sentAt: number | undefined): Promptness {
    const death = this.#evidence.killed.get(pair.by);
    const isBefore = death !== undefined && death.at <= replay.receivedAt;
    return isBefore && this.#lockHadEnded(replay, pair) ? this.#deathOf(pair, sentAt) : 'late';
  }

  /** @returns how long the killed worker had the answer, before and after its write had begun */
  #deathOf({ by, answeredAt }: Generation, sentAt: number | undefined): Promptness {
    const { killed, redisStalls, outages } = this.#evidence;
    const death = killed.get(by);
    if (!death) return 'late';
    if (answeredAt === null || death.at <= answeredAt) return 'prompt';
    const begun = Math.min(sentAt ?? Infinity, death.at);
    const away = overlap([...redisStalls, ...outages], begun, death.at);
    // A client finds Redis again some time after it is back.
    const more = away > 0 ? away + PROMPT_MS : 0;
    const steps = [this.#delayOf(by, answeredAt, begun), this.#delayOf(by, begun, death.at, more)];
    return DELAYS_FROM_WORST.find((delay) => steps.includes(delay)) ?? 'prompt';
  }

  /** No other worker may send the refresh token before the lock of the killed one ends by itself. */
  #lockHadEnded(replay: Replay, pair: Generation): boolean {
    const { lock, locksRemovedAt } = this.#evidence;
    const held = this.#lockOf(replay.grant, pair);
    if (!held) return false;
    return replay.receivedAt >= Math.min(held.askedAt + lock, locksRemovedAt) - INEXACT_MS;
  }

  /** The lock under which a worker asked for a pair. */
  #lockOf(grant: number, pair: Generation): LockFact | undefined {
    const { log, journals } = this.#evidence;
    const person = log.grants[grant]?.person;
    return journals
      .get(pair.by)
      ?.locks.findLast((one) => one.person === person && one.askedAt <= pair.receivedAt);
  }

  /** The runner let the worker stand still, between its lock and the next use of the answer. */
  #stoodStill(grant: number, pair: Generation, until: number): boolean {
    const { timeout, journals } = this.#evidence;
    const from = this.#lockOf(grant, pair)?.askedAt ?? pair.receivedAt;
    const end = Math.min(until, (pair.answeredAt ?? pair.receivedAt) + timeout);
    return overlap(journals.get(pair.by)?.pauses ?? [], from, end) > 0;
  }

  /** The lock ended before the pair was stored, because processes did not run or Redis was away. */
  #wasBusy(replay: Replay, pair: Generation): boolean {
    const { log, redisStalls, outages } = this.#evidence;
    const held = this.#lockOf(replay.grant, pair);
    if (!held || !this.#lockHadEnded(replay, pair)) return false;
    const spans = [...this.stalls(pair.by), ...log.stalls, ...redisStalls, ...outages];
    return overlap(spans, held.askedAt, replay.receivedAt) >= BUSY_MS;
  }
}

/** The provider rotated, and met a fault before it answered. */
const isNeverAnswered = ({ fault }: Generation) => fault?.endsWith('after rotation') ?? false;
