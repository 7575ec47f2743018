/** Encrypts small objects that leave the process: JWE (RFC 7516), `dir` with A256GCM. */
import { hkdfSync } from 'node:crypto';
import { loadJose } from './jose';
import { isJsonObject } from './json';
import type { JsonObject } from './json';

/**
 * Seals and opens small JSON objects. With several secrets the first one seals and all of them open,
 * so that a secret can be replaced.
 */
export class Seal {
  readonly #keys: readonly Uint8Array[];

  /**
   * @param owner names the class or function in the message of an error
   * @param secrets each of at least 32 characters
   * @param purpose makes a key of its own: an object sealed for one purpose does not open for another
   * @throws {TypeError} when there is no secret, or one is too short
   */
  constructor(owner: string, secrets: unknown, purpose: string) {
    const isStrong = (secret: unknown): secret is string =>
      typeof secret === 'string' && secret.length >= 32;
    if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(isStrong)) {
      throw new TypeError(
        `${owner}: option "secrets" must be an array of strings of at least 32 characters`,
      );
    }
    this.#keys = secrets.map(
      (secret) => new Uint8Array(hkdfSync('sha256', secret, '', `crm-oauth2 ${purpose}`, 32)),
    );
  }

  /** @returns a compact JWE: letters, digits, `-`, `_` and dots */
  async seal(content: JsonObject): Promise<string> {
    const { CompactEncrypt } = await loadJose();
    return await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(this.#keys[0] as Uint8Array);
  }

  /** @returns `undefined` when none of the secrets opens the text */
  async open(sealed: string): Promise<JsonObject | undefined> {
    const { compactDecrypt } = await loadJose();
    for (const key of this.#keys) {
      try {
        const { plaintext } = await compactDecrypt(sealed, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        const content: unknown = JSON.parse(Buffer.from(plaintext).toString('utf8'));
        return isJsonObject(content) ? content : undefined;
      } catch {
        // Wrong key: try the next.
      }
    }
    return undefined;
  }
}
