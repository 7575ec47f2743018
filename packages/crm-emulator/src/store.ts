/** The memory of one provider: codes, tokens, grants and pending sign-ins. */
import { createHash } from 'node:crypto';
import type { Stored } from 'oidc-provider/lib/provider.js';
import type { State } from './state.js';

const PRUNE_ABOVE_ENTRIES = 5_000;
const KEEP_EXPIRED_SECONDS = 3_600;

/** The engine's models that are never saved: the emulator asks who signs in at every request. */
const UNSAVED_MODELS = new Set(['Session']);

/** The models of the tokens that a client holds. */
const TOKEN_MODELS = ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const;
type TokenModel = (typeof TOKEN_MODELS)[number];

/** The tokens that a provider revokes, and whether that ends the rest of the grant. */
export type Revoked = 'grant' | 'token';
export type Revocable = Readonly<Partial<Record<TokenModel, Revoked>>>;

/** A token as the start page shows it: `handle` names it, and tells nothing of its value. */
export interface ListedToken {
  handle: string;
  model: TokenModel;
  id: string;
  entry: Stored;
}

/** Names a JWT that the emulator has ended before its time. */
const ENDED_MODEL = 'EndedToken';

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');

/** Expired entries stay for an hour, so that a refusal can say "expired" instead of "unknown". */
export class Store {
  readonly #entries: Map<string, Stored>;
  #pruneAbove = PRUNE_ABOVE_ENTRIES;
  readonly #modelsDeletedOnUse: ReadonlySet<string>;
  readonly #changed: () => void;

  /**
   * @param modelsDeletedOnUse models whose entries are deleted when they are used. A replay is then
   *   refused as unknown, and the engine does not revoke the other tokens of the grant.
   */
  constructor(state: State, name: string, modelsDeletedOnUse: string[] = []) {
    this.#entries = new Map(state.keep('entries', name, () => [...this.#entries]));
    this.#modelsDeletedOnUse = new Set(modelsDeletedOnUse);
    this.#changed = () => state.changed();
  }

  find(model: string, id: string): Stored | undefined {
    return this.#entries.get(`${model}:${id}`);
  }

  /** Finds an entry that is neither expired nor used. */
  findLive(model: string, id: string): Stored | undefined {
    const entry = this.find(model, id);
    if (!entry || entry['consumed'] !== undefined) return undefined;
    return typeof entry['exp'] === 'number' && entry['exp'] <= Date.now() / 1000
      ? undefined
      : entry;
  }

  save(model: string, id: string, payload: Stored): void {
    if (UNSAVED_MODELS.has(model)) return;
    if (this.#entries.size > this.#pruneAbove) this.#prune();
    this.#entries.set(`${model}:${id}`, payload);
    this.#changed();
  }

  consume(model: string, id: string): void {
    if (this.#modelsDeletedOnUse.has(model)) return this.destroy(model, id);
    const entry = this.find(model, id);
    if (entry) entry['consumed'] = Math.floor(Date.now() / 1000);
    this.#changed();
  }

  destroy(model: string, id: string): void {
    this.#entries.delete(`${model}:${id}`);
    this.#changed();
  }

  /** Deletes everything that was issued on one grant, or only the entries of one model. */
  revokeGrant(grantId: unknown, keyPrefix = ''): void {
    if (typeof grantId !== 'string') return;
    this.#deleteEach((key, entry) => entry['grantId'] === grantId && key.startsWith(keyPrefix));
  }

  /** Deletes the access tokens of one account; its refresh tokens stay. */
  endSessions(accountId: string): void {
    this.#deleteEach(
      (key, entry) => entry['accountId'] === accountId && key.startsWith('AccessToken:'),
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
  expire({ entry }: ListedToken): void {
    const { jwt, exp } = entry;
    if (typeof jwt === 'string') this.save(ENDED_MODEL, jwt, { exp });
    entry['exp'] = Math.floor(Date.now() / 1000) - 1;
    this.#changed();
  }

  /** Revokes a token as its provider does: alone, or with everything of its grant. */
  revoke({ model, id, entry }: ListedToken, what: Revoked | undefined): void {
    if (what === 'grant') this.revokeGrant(entry['grantId']);
    if (what !== undefined) this.destroy(model, id);
  }

  /** The storage interface that the engine asks for, one per model. */
  adapter(model: string) {
    const settled = <T>(value: T) => Promise.resolve(value);
    return {
      upsert: (id: string, payload: Stored) => settled(this.save(model, id, payload)),
      find: (id: string) => settled(this.find(model, id)),
      findByUid: () => settled(undefined),
      findByUserCode: () => settled(undefined),
      consume: (id: string) => settled(this.consume(model, id)),
      destroy: (id: string) => settled(this.destroy(model, id)),
      revokeByGrantId: (grantId: string) => settled(this.revokeGrant(grantId, `${model}:`)),
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
