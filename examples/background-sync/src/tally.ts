/** Counts what the workers tell, and puts it into words for the terminal. */
import type { Message } from './worker';

/** While Redis is away, the watch over it says so once. Of these failures, a line comes at the end. */
const STORE_IS_AWAY = ['store_unavailable', 'store_timeout'];

export class Tally {
  readonly #answers: Map<string, number>;
  readonly #refreshes: Map<string, number>;
  readonly #failures = new Map<string, number>();
  readonly #storeFailures = new Set<string>();

  constructor(people: string[]) {
    this.#answers = new Map(people.map((person) => [person, 0]));
    this.#refreshes = new Map(people.map((person) => [person, 0]));
  }

  get failed(): number {
    return sum(this.#failures);
  }

  /** @returns a line to show now, if the message is news */
  count(message: Message, worker: number): string | undefined {
    if (message.event === 'answer') add(this.#answers, message.person);
    if (message.event === 'refresh') {
      add(this.#refreshes, message.person);
      return `worker ${worker} refreshed the tokens of ${message.person}`;
    }
    if (message.event !== 'failure') return undefined;
    const { person, code = '', text } = message;
    const line = person === undefined ? text : `${person}: ${text}`;
    add(this.#failures, line);
    if (STORE_IS_AWAY.includes(code)) {
      this.#storeFailures.add(text);
      return undefined;
    }
    return this.#failures.get(line) === 1 ? line : undefined;
  }

  /** So far, on one line. */
  progress(): string {
    const counts = `${many(sum(this.#answers), 'answer')}, ${many(sum(this.#refreshes), 'refresh')}`;
    return this.failed === 0 ? counts : `${counts}, ${many(this.failed, 'failure')}`;
  }

  /** A line for each person. */
  people(): [person: string, line: string][] {
    return [...this.#answers].map(([person, answers]) => {
      const refreshes = this.#refreshes.get(person) ?? 0;
      return [person, `${many(answers, 'answer')}, ${many(refreshes, 'refresh')}`];
    });
  }

  /** Failures that no line has shown yet. */
  unshownFailures(): string[] {
    return [...this.#storeFailures];
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

export function many(count: number, thing: string): string {
  if (count === 1) return `1 ${thing}`;
  if (thing === 'person') return `${count} people`;
  return `${count} ${thing}${thing.endsWith('sh') ? 'es' : 's'}`;
}
