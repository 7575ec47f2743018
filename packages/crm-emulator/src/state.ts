/** Keeps ports, keys and everything issued in a file, so that a restart of the emulator ends no session. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { JWK } from 'jose';
import type { Stored } from 'oidc-provider/lib/provider.js';
import { isObject, parseJson } from './values.js';

interface Kept {
  /** The form of the file. */
  version: 1;
  ports: Record<string, number>;
  entries: Record<string, readonly (readonly [key: string, entry: Stored])[]>;
  keys: Record<string, readonly JWK[]>;
}

/** The file holds signing keys and tokens: only its owner may read it. */
const OWNER_ONLY = 0o600;

export class State {
  readonly #file: string | undefined;
  readonly #kept: Kept;
  /** Reads the current entries and keys into `#kept`. */
  readonly #reads: (() => void)[] = [];
  #isChanged = false;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param file undefined: nothing is kept
   * @throws {Error} for a file that this class has not written
   */
  constructor(file?: string) {
    this.#file = file;
    const empty: Kept = { version: 1, ports: {}, entries: {}, keys: {} };
    this.#kept = (file === undefined ? undefined : read(file)) ?? empty;
  }

  get ports(): Record<string, number> {
    return this.#kept.ports;
  }

  /** Returns what was kept under this name, and keeps what `current` returns from now on. */
  keep<Kind extends 'entries' | 'keys'>(
    kind: Kind,
    name: string,
    current: () => Kept[Kind][string],
  ): Kept[Kind][string] | undefined {
    const kept: Partial<Kept[Kind]> = this.#kept[kind];
    this.#reads.push(() => Object.assign(this.#kept[kind], { [name]: current() }));
    return kept[name];
  }

  /** Writes soon. A request that changed something waits for `flush` before it is answered. */
  changed(): void {
    if (this.#file === undefined || this.#isChanged) return;
    this.#isChanged = true;
    setImmediate(() => {
      this.flush().catch((error: unknown) => console.error('crm-emulator:', error));
    });
  }

  /** Resolves when every change so far is on the disk. */
  flush(): Promise<void> {
    if (this.#isChanged)
      this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  /** A reader, and a restart after a SIGKILL, find the old file or the new one, each of them whole. */
  async #write(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    for (const update of this.#reads) update();
    const next = `${this.#file}.next`;
    try {
      await writeFile(next, JSON.stringify(this.#kept), { mode: OWNER_ONLY, flush: true });
      await rename(next, this.#file!);
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
  }
}

function read(file: string): Kept | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`state: cannot read ${file}`, { cause: error });
  }
  const kept = parseJson(text);
  if (isObject(kept) && kept['version'] === 1) return kept as unknown as Kept;
  throw new Error(
    `state: ${file} is not a state of this emulator. Remove it, or name another file`,
  );
}
