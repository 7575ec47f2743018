/** The record of a person's tokens: how it is written to a store, and how it is read again. */
import type { ErrorCode } from '../errors/codes';
import { Problem } from '../errors/problem';
import { deepFrozen, isJsonObject, isTooDeep, text, withoutUndefined } from '../values/json';
import type { Environment } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';

const REFRESH_NOTES = ['begun', 'failed', 'unknown', 'refused'] as const;

export interface TokenRecord {
  readonly tokens: TokenSet;
  /** When these tokens came, in epoch ms. */
  readonly since: number;
  /** When the person signed in, in epoch ms. */
  readonly signedInAt: number;
  /**
   * The last refresh with these tokens, when there was one. `begun`: it is under way, or its process
   * was killed. `failed`: it left the refresh token as it was. `unknown`: it may have used it up.
   * `refused`: the provider no longer accepts the refresh token.
   */
  readonly refresh?: (typeof REFRESH_NOTES)[number];
  /** So many tokens in a row, these excluded, were replaced because the API refused them as new. */
  readonly refusals?: number;
  /** Why that refresh failed, where the next one must wait. */
  readonly failure?: Failure;
}

/** A record as it was read. */
export interface StoredRecord {
  readonly record: TokenRecord;
  /** A write that passes this version replaces this record only, and never a later one. */
  readonly version: string;
}

/** A failed refresh, as other callers and processes are told of it. */
export interface Failure {
  readonly code: ErrorCode;
  /** Without the name of the provider. It may quote the provider, and holds no secret. */
  readonly message: string;
  /** The remedy: the words of the provider may have one of their own. */
  readonly hint?: string;
  readonly status?: number;
  /** When it failed, in epoch ms. */
  readonly at: number;
  /** The provider is not asked again for so many milliseconds. */
  readonly pause: number;
}

/** Tokens to keep, from a login or from another place; a field that is `null` counts as absent. */
export type TokensToSave = Pick<TokenSet, 'accessToken'> & {
  [Field in keyof TokenSet]?: TokenSet[Field] | null;
};

/** @throws {TypeError} for tokens that could not be read again */
export function newRecord(tokens: TokensToSave): TokenRecord {
  const now = Date.now();
  const given = Object.entries(tokens).filter(([, value]: [string, unknown]) => value !== null);
  const complete = { response: {}, ...Object.fromEntries(given) } as TokenSet;
  try {
    return parseRecord(serialize({ tokens: complete, since: now, signedInAt: now }));
  } catch {
    throw new TypeError(
      'userTokens: tokens to save have an accessToken, and expiresAt, if any, in epoch milliseconds',
    );
  }
}

export function hasSameTokens(one: TokenRecord, other: TokenRecord): boolean {
  const [{ tokens: a }, { tokens: b }] = [one, other];
  return a.accessToken === b.accessToken && a.refreshToken === b.refreshToken;
}

export function serialize({ tokens, ...state }: TokenRecord): string {
  const { accessToken, refreshToken, expiresAt, scope, subject, sid, environment } = tokens;
  // Both tokens have fields of their own, and the ID Token is large and has been read.
  const { access_token: _at, refresh_token: _rt, id_token: _id, ...response } = tokens.response;
  const kept = { accessToken, refreshToken, expiresAt, scope, subject, sid, environment, response };
  return JSON.stringify({ ...kept, ...state });
}

/** @throws {Problem} `store_corrupt` for anything that {@link serialize} has not written */
export function parseRecord(value: string): TokenRecord {
  const json = parse(value);
  if (
    !isJsonObject(json) ||
    text(json.accessToken) === undefined ||
    ![json.refreshToken, json.scope, json.subject, json.sid].every(isTextOrAbsent) ||
    !isJsonObject(json.response) ||
    Object.values(json).some(isTooDeep) ||
    !(json.environment === undefined || isEnvironment(json.environment)) ||
    !isTime(json.since) ||
    !isTime(json.signedInAt) ||
    !(json.expiresAt === undefined || isTime(json.expiresAt))
  ) {
    throw new Problem('store_corrupt', 'the stored value is not a record of tokens');
  }
  const { since, signedInAt, refresh, refusals, failure } = json;
  const record = withoutUndefined<TokenRecord>({
    tokens: withoutUndefined<TokenSet>({
      accessToken: json.accessToken as string,
      refreshToken: text(json.refreshToken),
      tokenType: 'Bearer',
      expiresAt: json.expiresAt,
      scope: text(json.scope),
      subject: text(json.subject),
      sid: text(json.sid),
      environment: json.environment,
      response: json.response,
    }),
    since,
    signedInAt,
    refresh: REFRESH_NOTES.find((note) => note === refresh),
    refusals: isTime(refusals) ? refusals : undefined,
    failure: isFailure(failure) ? failure : undefined,
  });
  // Callers share it.
  return deepFrozen(record);
}

/** The client judges the values when it goes there. */
function isEnvironment(value: unknown): value is Environment {
  return isJsonObject(value) && Object.values(value).every((choice) => typeof choice === 'string');
}

function isFailure(value: unknown): value is Failure {
  if (!isJsonObject(value)) return false;
  const { code, message, hint, status, at, pause } = value;
  const texts = [text(code), text(message)];
  return (
    !texts.includes(undefined) && isTextOrAbsent(hint) && [status ?? 0, at, pause].every(isTime)
  );
}

/** The parser's own error is not kept as a cause, because it quotes the text. */
function parse(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
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
