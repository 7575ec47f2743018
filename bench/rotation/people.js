/** The people, who are signed in at the beginning, and again when their grant is lost. */
'use strict';
const { setTimeout: sleep } = require('node:timers/promises');
const { STOP_LIMIT_MS, stop } = require('./processes');

/** This many people sign in, or are asked for, at once. */
const AT_ONCE = 20;

/** The first token of a person has lived this part of its life at most, so that not all end together. */
const AGED = 0.8;

/** On a machine that is busy, a request may take longer than its timeout, and its lock must end first. */
const ATTEMPTS = 3;

/** A store that is away is asked again after this time. */
const SAVE_AGAIN_MS = 200;

class People {
  /** People who were told to sign in although their grant had not ended. */
  wronged = 0;
  again = 0;
  #origin;
  #library;
  #lifetime;
  #signing = new Map();

  constructor(origin, library, ttl) {
    this.#origin = origin;
    this.#library = library;
    this.#lifetime = ttl * 1000;
  }

  /** @returns when the first token of each person ends */
  async signInAll(count) {
    const ends = [];
    await each(count, async (person) => {
      const lifetime = Math.round(this.#lifetime * (1 - AGED * Math.random()));
      ends[person] = Date.now() + lifetime;
      await this.#signIn(person, lifetime);
    });
    return ends;
  }

  signInAgain(person) {
    if (this.#signing.has(person)) return;
    const signing = this.#signIn(person, this.#lifetime)
      .then((hasLost) => {
        if (hasLost === undefined) this.again += 1;
        else if (!hasLost) this.wronged += 1;
      })
      .catch((error) => stop.abort(error))
      .finally(() => this.#signing.delete(person));
    this.#signing.set(person, signing);
  }

  async settled() {
    await Promise.all(this.#signing.values());
  }

  async #signIn(person, lifetime) {
    const expiresAt = Date.now() + lifetime;
    const response = await fetch(`${this.#origin}/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ person, lifetime }),
    });
    const json = await response.json();
    // Another worker reported it before, and the person has signed in again since.
    if (!response.ok) return json.hasLost;
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
  async #save(person, tokens) {
    const giveUpAt = Date.now() + STOP_LIMIT_MS;
    for (;;) {
      try {
        await this.#library.tokensOf(person).save(tokens);
        return;
      } catch (error) {
        if (!error.code?.startsWith('store_') || Date.now() > giveUpAt) throw error;
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
async function askForAll(origin, library, count, patience) {
  const found = { good: 0, lost: 0, waiting: 0, wrong: 0, errors: {} };
  await each(count, async (person) => {
    let result;
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

/** @returns the kind, and for a failed call the milliseconds to wait */
async function ask(origin, library, person, errors) {
  try {
    const asked = String(Date.now());
    const token = await library.tokensOf(person).getAccessToken();
    const given = String(Date.now());
    const headers = { authorization: `Bearer ${token}`, 'x-asked': asked, 'x-given': given };
    const response = await fetch(`${origin}/api`, { headers });
    return { kind: response.ok ? 'good' : 'wrong', wait: 0 };
  } catch (error) {
    if (error.code === 'reauthorization_required') return { kind: 'lost', wait: 0 };
    errors[error.code] = (errors[error.code] ?? 0) + 1;
    return { kind: 'wrong', wait: (error.retryAfterSeconds ?? 0) * 1000 };
  }
}

async function each(count, work) {
  const waiting = Array.from({ length: count }, (_, person) => person);
  const next = async () => {
    for (let person = waiting.pop(); person !== undefined; person = waiting.pop()) {
      await work(person);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

module.exports = { People, askForAll };
