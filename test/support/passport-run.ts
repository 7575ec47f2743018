/** Runs a strategy as Passport does: on an object made of it for each request, with the five verbs on it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** The verb that a strategy called, and its arguments. */
export type Outcome =
  | { verb: 'success'; user: unknown; info: unknown }
  | { verb: 'fail'; info: unknown; status: number | undefined }
  | { verb: 'redirect'; url: string }
  | { verb: 'error'; error: unknown }
  | { verb: 'pass' };

type Verb = Outcome['verb'];

/** The part of a strategy that Passport uses. */
export interface RunnableStrategy {
  name?: string | undefined;
  authenticate(req: object, options?: object): void;
}

/** The request of a browser that has a session, or has none. */
export interface FakeRequest {
  method: string;
  url: string;
  query: Record<string, unknown>;
  headers: Record<string, string>;
  session?: Record<string, unknown>;
}

export function requestFor(url: string, session?: Record<string, unknown>): FakeRequest {
  const { pathname, search, searchParams, host } = new URL(url);
  return {
    method: 'GET',
    url: pathname + search,
    query: Object.fromEntries(searchParams),
    headers: { host },
    ...(session && { session }),
  };
}

/** Long enough for a second outcome to follow. */
const AFTERMATH_MS = 4;

/**
 * Runs one request through a strategy.
 *
 * @param onInstance put the verbs on the very instance, as Passport does when it is given one instead
 * of a name
 * @returns the one outcome
 * @throws {Error} when there is a second one
 */
export async function run(
  strategy: RunnableStrategy,
  request: FakeRequest,
  options: object = {},
  { onInstance = false } = {},
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const done = new Promise<void>((resolve) => {
    const record = (outcome: Outcome) => {
      outcomes.push(outcome);
      resolve();
    };
    const verbs: Record<Verb, (...parameters: never[]) => void> = {
      success: (user: unknown, info: unknown) => record({ verb: 'success', user, info }),
      fail: (info: unknown, status?: number) => record({ verb: 'fail', info, status }),
      redirect: (url: string) => record({ verb: 'redirect', url }),
      error: (error: unknown) => record({ verb: 'error', error }),
      pass: () => record({ verb: 'pass' }),
    };
    const instance = onInstance ? strategy : (Object.create(strategy) as RunnableStrategy);
    Object.assign(instance, verbs).authenticate(request, options);
  });
  await done;
  await sleep(AFTERMATH_MS);
  const [outcome, ...others] = outcomes;
  if (!outcome || others.length > 0) {
    throw new Error(`expected one outcome, got ${outcomes.map(({ verb }) => verb).join(', ')}`);
  }
  return outcome;
}

/** The outcome, if it is of this kind. */
export function expectVerb<V extends Verb>(
  outcome: Outcome,
  verb: V,
): Extract<Outcome, { verb: V }> {
  if (outcome.verb !== verb) {
    const found = outcome.verb === 'error' ? outcome.error : JSON.stringify(outcome);
    throw new Error(`expected ${verb}, got ${outcome.verb}: ${String(found)}`, { cause: found });
  }
  return outcome as Extract<Outcome, { verb: V }>;
}
