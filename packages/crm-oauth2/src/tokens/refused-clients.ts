/** Remembers for a short time that the provider refuses a client. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import { Deadline } from '../wire/deadline';

const REFUSAL_LASTS_MS = 30_000;

/** Codes by which a provider refuses the id or the secret of a client, for all of its people. */
const CREDENTIALS_REFUSED: readonly string[] = ['invalid_client', 'invalid_client_id'];

const REFUSALS = new WeakMap<object, { error: unknown; end: Deadline }>();

/**
 * Milliseconds for which people's tokens are not asked for: their client is refused, not one of them.
 * Where a provider says it by another `error`, the refused person may be the reason.
 */
export function pauseForPeople({ code, reportedIn, reported }: OAuth2Error): number {
  const { error: word = code } = reported ?? {};
  const isOfClient = reportedIn !== undefined && CREDENTIALS_REFUSED.includes(word);
  return isOfClient ? REFUSAL_LASTS_MS : 0;
}

/**
 * Milliseconds for which the app's own tokens are not asked for: no person is involved, so that each
 * refusal is one of the client; or the provider asks to wait.
 */
export function pauseForApp({ reportedIn, status = 0, retryAfterSeconds }: OAuth2Error): number {
  const isRefusal = reportedIn !== undefined && status < 500;
  const asked = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
  return Math.min(asked ?? (isRefusal ? REFUSAL_LASTS_MS : 0), REFUSAL_LASTS_MS);
}

/**
 * Runs work that sends token requests. After the provider has refused the client itself, the same
 * error is thrown for a while, and no request is sent: a wrong secret is wrong for each caller.
 *
 * @param client other objects, which may have another secret, are asked for
 */
export async function unlessRefused<T>(
  client: object,
  pauseAfter: (error: OAuth2Error) => number,
  work: () => Promise<T>,
): Promise<T> {
  const refusal = REFUSALS.get(client);
  if (refusal && refusal.end.remaining() > 0) throw refusal.error;
  try {
    return await work();
  } catch (error) {
    const pause = isOAuth2Error(error) ? pauseAfter(error) : 0;
    if (pause > 0) REFUSALS.set(client, { error, end: new Deadline(pause) });
    throw error;
  }
}
