/** Remembers for a short time that the provider refuses the credentials of a client. */
import { isOAuth2Error } from '../errors/oauth2-error';
import { Deadline } from '../wire/deadline';

const REFUSAL_LASTS_MS = 30_000;

/** Codes by which a provider refuses the id or the secret of a client, for all of its people. */
export const CREDENTIALS_REFUSED: readonly string[] = ['invalid_client', 'invalid_client_id'];

const REFUSALS = new WeakMap<object, { error: unknown; end: Deadline }>();

/**
 * Runs work that sends token requests. After the provider has refused the client itself, the same
 * error is thrown for half a minute, and no request is sent: a wrong secret is wrong for each caller.
 *
 * @param client other objects, which may have another secret, are asked for
 * @param codes by which the provider refuses the client, and not one of its people
 */
export async function unlessRefused<T>(
  client: object,
  codes: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const refusal = REFUSALS.get(client);
  if (refusal && refusal.end.remaining() > 0) throw refusal.error;
  try {
    return await work();
  } catch (error) {
    if (isOAuth2Error(error) && error.reportedIn !== undefined && codes.includes(error.code)) {
      REFUSALS.set(client, { error, end: new Deadline(REFUSAL_LASTS_MS) });
    }
    throw error;
  }
}
