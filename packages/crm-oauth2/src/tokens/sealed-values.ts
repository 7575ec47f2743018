/** Hides keys and values from a store outside the process. */
import { hash } from 'node:crypto';
import { Problem } from '../errors/problem';
import { LruMap } from '../values/lru-map';
import { Seal } from '../values/seal';

/** Opened values that are remembered, one for each key: decrypting takes longer than the trip to a store. */
const MAX_OPENED = 1000;

/**
 * A key becomes a hash, and a value a JWE (RFC 7516). A store of your own passes everything through
 * this, see `docs/token-stores.md`.
 */
export class SealedValues {
  readonly #seal: Seal;
  readonly #opened = new LruMap<string, { sealed: string; value: string }>(MAX_OPENED);

  /**
   * @param secrets each of at least 32 characters; the first one encrypts, all of them decrypt. To
   * change them, put a new one behind the old on every machine, then in front. Remove the old one
   * when every value has been written again
   * @throws {TypeError} when there is no secret, or one is too short
   */
  constructor(secrets: readonly string[]) {
    this.#seal = new Seal('SealedValues', secrets, 'stored tokens');
  }

  /** The name under which to keep a key: the same for every secret, so that all machines agree. */
  nameOf(key: string): string {
    return hash('sha256', `crm-oauth2 token store ${key}`, 'base64url');
  }

  /** The value, encrypted, and bound to its key: it does not open under another one. */
  async seal(key: string, value: string): Promise<string> {
    return await this.#seal.seal({ key, value });
  }

  /** @throws {Problem} `store_corrupt` when no secret opens it, or it belongs to another key */
  async open(key: string, sealed: string): Promise<string> {
    const known = this.#opened.get(key);
    if (known?.sealed === sealed) return known.value;
    const content = await this.#seal.open(sealed);
    if (content?.key === key && typeof content.value === 'string') {
      this.#opened.set(key, { sealed, value: content.value });
      return content.value;
    }
    throw new Problem('store_corrupt', 'the stored value was not sealed for this key');
  }
}
