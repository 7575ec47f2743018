/** The memory of one provider: codes, tokens, grants and pending sign-ins. */
import { createHash } from 'node:crypto';
import type { Stored } from 'oidc-provider/lib/provider.js';
import type { State } from './state.js';

const PRUNE_ABOVE_ENTRIES = 5_000;
const KEEP_EXPIRED_SECONDS = 3_600;

/** The models of the tokens that a client holds. */
const TOKEN_MODELS = ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const;
type TokenModel = (typeof TOKEN_MODELS)[number];

/** The tokens that a provider revokes, and whether that ends the rest of the grant. */
export type Revoked = 'grant' | 'token';
export type Revocable = Readonly<Partial<Record<TokenModel, Revoked>>>;

export interface Token {
  model: TokenModel;
  id: string;
  entry: Stored;
}

/** As the start page shows it: `handle` names the token, and tells nothing of its value. */
export type ListedToken = Token & { handle: string };

/** Names a JWT that the emulator has ended before its time. */
const ENDED_MODEL = 'EndedToken';

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');

/** Expired entries stay for an hour, so that a refusal can say "expired" instead of "unknown". */
export class Store {
  readonly #entries: Map<string, Stored>;
  #pruneAbove = PRUNE_ABOVE_ENTRIES;
  readonly #changed: () => void;

  constructor(state: State, name: string) {
    this.#entries = new Map(state.keep('entries', name, () => [...this.#entries]));
    this.#changed = () => state.changed();
  }

  find(model: string, id: string): Stored | undefined {
    return this.#entries.get(`${model}:${id}`);
  }

  /** Finds an entry that is neither expired nor used. */
  findLive(model: string, id: string): Stored | undefined {
    const entry = this.find(model, id);
    const isOver = entry?.exp !== undefined && entry.exp <= Date.now() / 1000;
    return isOver || entry?.['consumed'] !== undefined ? undefined : entry;
  }

  /** Finds a token that a client names, among those of some models. */
  findToken(models: Revocable, id: unknown): Token | undefined {
    for (const model of Object.keys(models) as TokenModel[]) {
      const entry = this.find(model, String(id));
      if (entry) return { model, id: String(id), entry };
    }
    return undefined;
  }

  save(model: string, id: string, payload: Stored): void {
    if (this.#entries.size > this.#pruneAbove) this.#prune();
    this.#entries.set(`${model}:${id}`, payload);
    this.#changed();
  }

  consume(model: string, id: string): void {
    const entry = this.find(model, id);
    if (entry) entry['consumed'] = Math.floor(Date.now() / 1000);
    this.#changed();
  }

  destroy(model: string, id: string): void {
    this.#entries.delete(`${model}:${id}`);
    this.#changed();
  }

  /** Deletes everything that was issued on one grant. */
  revokeGrant(grantId: string | undefined): void {
    if (grantId) this.#deleteEach((_key, entry) => entry.grantId === grantId);
  }

  /** Deletes the access tokens of one account; its refresh tokens stay. */
  endSessions(accountId: string): void {
    this.#deleteEach(
      (key, entry) => entry.accountId === accountId && key.startsWith('AccessToken:'),
    );
  }

  /** The tokens that were not replaced, newest first; those that expired within the hour too. */
  get tokens(): ListedToken[] {
    const tokens = [...this.#entries].flatMap(([key, entry]) => {
      const [name, id = ''] = key.split(/:(.*)/s);
      const model = TOKEN_MODELS.find((known) => known === name);
      if (!model || entry['consumed'] !== undefined) return [];
      return [{ handle: digestOf(key).slice(0, 16), model, id, entry }];
    });
    return tokens.toReversed();
  }

  /** Remembers the JWT that a client got for an access token. */
  issuedAs(id: string, jwt: string): void {
    const entry = this.find('AccessToken', id) ?? this.find('ClientCredentials', id);
    if (entry) entry['jwt'] = digestOf(jwt);
    // Two JWTs of the same claims, in the same second, are the same.
    this.destroy(ENDED_MODEL, digestOf(jwt));
  }

  /** Tells whether a JWT, whose signature is still good, was ended on the start page. */
  hasEnded(jwt: string): boolean {
    return this.find(ENDED_MODEL, digestOf(jwt)) !== undefined;
  }

  /** Ends a token now. It is then refused as expired. */
  expire({ entry }: Token): void {
    const { jwt, exp } = entry;
    if (typeof jwt === 'string') this.save(ENDED_MODEL, jwt, { exp });
    entry['exp'] = Math.floor(Date.now() / 1000) - 1;
    this.#changed();
  }

  /** Revokes a token as its provider does: alone, or with everything of its grant. */
  revoke({ model, id, entry }: Token, revocable: Revocable): void {
    if (revocable[model] === 'grant') this.revokeGrant(entry.grantId);
    if (revocable[model]) this.destroy(model, id);
  }

  /**
   * The storage that the engine asks for, one for each model. A session is not saved, because the emulator
   * asks who signs in at every request.
   *
   * @param isDeletedOnUse a replay is then refused as unknown, and the engine does not revoke the other
   *   tokens of the grant
   */
  adapter(model: string, isDeletedOnUse: boolean) {
    return {
      upsert: (id: string, payload: Stored) => model !== 'Session' && this.save(model, id, payload),
      find: (id: string) => this.find(model, id),
      consume: (id: string) => (isDeletedOnUse ? this.destroy(model, id) : this.consume(model, id)),
      destroy: (id: string) => this.destroy(model, id),
      revokeByGrantId: (grantId: string) => this.revokeGrant(grantId),
    };
  }

  #prune(): void {
    const oldest = Date.now() / 1000 - KEEP_EXPIRED_SECONDS;
    this.#deleteEach((_key, { exp }) => typeof exp === 'number' && exp < oldest);
    // Doubled, so that a store of many live entries is not searched at each save.
    this.#pruneAbove = Math.max(PRUNE_ABOVE_ENTRIES, 2 * this.#entries.size);
  }

  #deleteEach(isDeleted: (key: string, entry: Stored) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (isDeleted(key, entry)) this.#entries.delete(key);
    }
    this.#changed();
  }
}
