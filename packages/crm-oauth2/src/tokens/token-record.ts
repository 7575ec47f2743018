/** One person's tokens as they are kept: what is written to a store, and how it is read again. */
import { Problem } from '../errors/oauth2-error';
import { isJsonObject, known, text } from '../values/json';
import type { JsonObject } from '../values/json';
import type { TokenSet } from '../protocol/token-set';

const REFRESH = ['begun', 'failed', 'unknown', 'refused'] as const;

export interface TokenRecord {
  readonly tokens: TokenSet;
  /** When these tokens came, in epoch ms. */
  readonly since: number;
  /** When the person signed in, in epoch ms. */
  readonly signedInAt: number;
  /**
   * What became of the last refresh with these tokens, so that they are used to their end. `begun`:
   * it is under way, or whoever began it was killed. `failed`: it has left the refresh token as it
   * was. `unknown`: it may have used it up. `refused`: the provider no longer accepts it.
   */
  readonly refresh?: (typeof REFRESH)[number];
  /** When it was refused, in epoch ms. */
  readonly notedAt?: number;
}

/** Kept once, not twice: they have fields of their own. The ID Token has been read, and is large. */
const ELSEWHERE = new Set(['access_token', 'refresh_token', 'id_token']);

export function serialize(record: TokenRecord): string {
  const { tokens, since, signedInAt, refresh, notedAt } = record;
  const { accessToken, refreshToken, expiresAt, scope, subject } = tokens;
  const response = Object.fromEntries(
    Object.entries(tokens.response).filter(([name]) => !ELSEWHERE.has(name)),
  );
  const kept = { accessToken, refreshToken, expiresAt, scope, subject, response };
  return JSON.stringify({ ...kept, since, signedInAt, refresh, notedAt });
}

/** @throws {Problem} `store_corrupt` for anything that {@link serialize} has not written */
export function parseRecord(value: string): TokenRecord {
  const json = parse(value);
  if (
    !isJsonObject(json) ||
    text(json.accessToken) === undefined ||
    ![json.refreshToken, json.scope, json.subject].every(isTextOrAbsent) ||
    !isJsonObject(json.response) ||
    !isTime(json.since) ||
    !isTime(json.signedInAt) ||
    !(json.expiresAt === undefined || isTime(json.expiresAt))
  ) {
    throw new Problem('store_corrupt', 'what the store holds is no record of tokens');
  }
  const { since, signedInAt, refresh, notedAt } = json;
  return known<TokenRecord>({
    tokens: Object.freeze(
      known<TokenSet>({
        accessToken: json.accessToken as string,
        refreshToken: text(json.refreshToken),
        tokenType: 'Bearer',
        expiresAt: json.expiresAt,
        scope: text(json.scope),
        subject: text(json.subject),
        response: Object.freeze(json.response),
      }),
    ),
    since,
    signedInAt,
    refresh: REFRESH.find((one) => one === refresh),
    notedAt: isTime(notedAt) ? notedAt : undefined,
  });
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value) as JsonObject;
  } catch {
    return undefined;
  }
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}
