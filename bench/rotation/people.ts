/** The people, who are signed in at the beginning, and again when their grant is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UserTokens } from 'crm-oauth2';
import type { AtTheEnd } from './evidence';
import type { Library } from './library';
import { STOP_LIMIT_MS, stop } from './processes';

/** This many people sign in, or are asked for, at once. */
const AT_ONCE = 20;

/** The first token of a person has lived this part of its life at most, so that not all end together. */
const AGED = 0.8;

/** On a machine that is busy, a request may take longer than its timeout, and its lock must end first. */
const ATTEMPTS = 3;

/** A store that is away is asked again after this time. */
const SAVE_AGAIN_MS = 200;

/** The provider's answer: a pair, or why there is none. */
type SignIn = { access_token: string; refresh_token: string } | { hasLost: boolean };

const codeOf = (error: unknown) => (error as { code?: string }).code;

export class People {
  /** People who were told to sign in although their grant had not ended. */
  wronged = 0;
  again = 0;
  readonly #origin: string;
  readonly #library: Library;
  /** Milliseconds. */
  readonly #lifetime: number;
  readonly #signing = new Map<number, Promise<void>>();

  constructor(origin: string, library: Library, ttl: number) {
    this.#origin = origin;
    this.#library = library;
    this.#lifetime = ttl * 1000;
  }

  /** @returns when the first token of each person ends */
  async signInAll(count: number): Promise<number[]> {
    const ends: number[] = [];
    await each(count, async (person) => {
      const lifetime = Math.round(this.#lifetime * (1 - AGED * Math.random()));
      ends[person] = Date.now() + lifetime;
      await this.#signIn(person, lifetime);
    });
    return ends;
  }

  signInAgain(person: number): void {
    if (this.#signing.has(person)) return;
    const signing = this.#signIn(person, this.#lifetime)
      .then((hasLost) => {
        if (hasLost === undefined) this.again += 1;
        else if (!hasLost) this.wronged += 1;
      })
      .catch((error: unknown) => stop.abort(error))
      .finally(() => this.#signing.delete(person));
    this.#signing.set(person, signing);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#signing.values());
  }

  /** @returns nothing when there is a new grant; else whether the person had lost one */
  async #signIn(person: number, lifetime: number): Promise<boolean | undefined> {
    const expiresAt = Date.now() + lifetime;
    const response = await fetch(`${this.#origin}/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ person, lifetime }),
    });
    const json = (await response.json()) as SignIn;
    // Another worker reported it before, and the person has signed in again since.
    if (!('access_token' in json)) return json.hasLost;
    await this.#save(person, {
      accessToken: json.access_token,
      refreshToken: json.refresh_token,
      tokenType: 'Bearer',
      expiresAt,
      response: {},
    });
    return undefined;
  }

  /** Offers the tokens of a login again to a Redis that is away. */
  async #save(person: number, tokens: Parameters<UserTokens['save']>[0]): Promise<void> {
    const giveUpAt = Date.now() + STOP_LIMIT_MS;
    for (;;) {
      try {
        await this.#library.tokensOf(person).save(tokens);
        return;
      } catch (error) {
        const isAway = codeOf(error)?.startsWith('store_') ?? false;
        if (!isAway || Date.now() > giveUpAt) throw error;
        await sleep(SAVE_AGAIN_MS);
      }
    }
  }
}

/**
 * Asks for the tokens of all people once more, after the workers.
 *
 * @param patience milliseconds to wait where the library asks for a pause
 * @returns how many people have a good token, have lost their grant, must wait longer, or neither
 */
export async function askForAll(
  origin: string,
  library: Library,
  count: number,
  patience: number,
): Promise<AtTheEnd> {
  const found: AtTheEnd = { good: 0, lost: 0, waiting: 0, wrong: 0, errors: {} };
  await each(count, async (person) => {
    let result: Asked = { kind: 'wrong', wait: 0 };
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      stop.signal.throwIfAborted();
      result = await ask(origin, library, person, found.errors);
      if (result.kind !== 'wrong' || result.wait > patience) break;
      await sleep(result.wait);
    }
    found[result.wait > patience ? 'waiting' : result.kind] += 1;
  });
  return found;
}

interface Asked {
  kind: 'good' | 'lost' | 'wrong';
  /** Milliseconds, after a failed call. */
  wait: number;
}

async function ask(
  origin: string,
  library: Library,
  person: number,
  errors: AtTheEnd['errors'],
): Promise<Asked> {
  try {
    const asked = String(Date.now());
    const token = await library.tokensOf(person).getAccessToken();
    const given = String(Date.now());
    const headers = { authorization: `Bearer ${token}`, 'x-asked': asked, 'x-given': given };
    const response = await fetch(`${origin}/api`, { headers });
    return { kind: response.ok ? 'good' : 'wrong', wait: 0 };
  } catch (error) {
    const code = codeOf(error) ?? 'unknown';
    if (code === 'reauthorization_required') return { kind: 'lost', wait: 0 };
    errors[code] = (errors[code] ?? 0) + 1;
    const { retryAfterSeconds = 0 } = error as { retryAfterSeconds?: number };
    return { kind: 'wrong', wait: retryAfterSeconds * 1000 };
  }
}

async function each(count: number, work: (person: number) => Promise<void>): Promise<void> {
  const waiting = Array.from({ length: count }, (_, person) => person);
  const next = async () => {
    for (let person = waiting.pop(); person !== undefined; person = waiting.pop()) {
      await work(person);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}
