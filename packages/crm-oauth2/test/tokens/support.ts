/**
 * A provider that rotates refresh tokens, and stores that fail in the ways of real stores. Several
 * stores over one backing stand for several processes, which share its values and its locks.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import timers from 'node:timers/promises';
import { expect } from 'chai';
import { providerCode } from '../../dist/errors/provider-codes';
import { MemoryTokenStore, OAuth2Client, userTokens } from '../../dist/index';
import type { StoredValue, TokenSet, TokenStore, Unlock, UserTokens } from '../../dist/index';
import { parseRecord, serialize } from '../../dist/tokens/token-record';
import type { TokenRecord } from '../../dist/tokens/token-record';
import { text } from '../../dist/values/json';
import { CREDENTIALS, acmeWith, formOf, httpServer } from '../support';
import type { AcmeOptions } from '../support';

export const HOUR = 3_600_000;
export const TIMEOUT = 300;

/** The fault of one refresh. `lost`: it succeeds, and its answer never arrives. */
export type Fault =
  | 'silent'
  | 'reset'
  | 'lost'
  | 'html'
  | 'busy'
  | { status: number; body?: object; headers?: Record<string, string> }
  | { person: string };

/** One person's grant. A refresh token that is used twice ends it, as RFC 9700 §4.14.2 has it. */
export class Provider {
  origin = '';
  rotates = true;
  expiresIn = 3600;
  isRevoked = false;
  /** Refresh tokens as they arrived. */
  readonly asked: string[] = [];
  readonly revoked: Record<string, string>[] = [];
  /** The next answers; when there are none, the right one. */
  readonly faults: Fault[] = [];
  /** Runs when a refresh has arrived, before it is answered. */
  meanwhile: () => unknown = () => undefined;
  #current = 0;

  static async start(): Promise<Provider> {
    const provider = new Provider();
    provider.origin = await httpServer((request, response) => {
      void provider.#handle(request, response);
    });
    return provider;
  }

  /** The tokens of a login. */
  grant(fields: Partial<TokenSet> = {}): TokenSet {
    return {
      ...this.#tokens(),
      tokenType: 'Bearer',
      expiresAt: Date.now() + this.expiresIn * 1000,
      subject: 'zoe',
      response: { instance_url: 'https://zoe.acme.test', sub: 'zoe' },
      ...fields,
    };
  }

  #tokens() {
    const refreshToken = `refresh-${this.rotates ? this.#current : 0}`;
    return { accessToken: `access-${this.#current}`, refreshToken };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = formOf(Buffer.concat(chunks).toString());
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/revoke') {
      this.revoked.push(form);
      const fault = this.faults.shift();
      answer(typeof fault === 'object' && 'status' in fault ? fault.status : 200, {});
      return;
    }
    this.asked.push(form['refresh_token'] ?? '');
    const fault = this.faults.shift();
    await this.meanwhile();
    if (fault === 'silent') return;
    if (fault === 'reset') request.socket.destroy();
    else if (fault === 'html') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>');
    } else if (fault === 'busy') {
      answer(400, { error: 'invalid_grant', error_description: 'Still in progress' });
    } else if (typeof fault === 'object' && 'status' in fault) {
      answer(fault.status, fault.body, fault.headers);
    } else {
      const { refreshToken } = this.#tokens();
      const sent = form['refresh_token'] ?? '';
      if (sent !== refreshToken) this.isRevoked = true;
      if (this.isRevoked) {
        answer(400, { error: 'invalid_grant', error_description: `unknown: ${sent}` });
        return;
      }
      this.#current += 1;
      if (fault === 'lost') {
        request.socket.destroy();
        return;
      }
      const tokens = this.#tokens();
      answer(200, {
        access_token: tokens.accessToken,
        refresh_token: this.rotates ? tokens.refreshToken : undefined,
        token_type: 'Bearer',
        expires_in: this.expiresIn,
        sub: fault?.person ?? 'zoe',
      });
    }
  }
}

/** Values and locks that any number of stores share. */
export class Backing extends MemoryTokenStore {
  readonly #held = new Set<Unlock>();

  override async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    const unlock = await super.lock(key, milliseconds);
    if (!unlock) return undefined;
    const held = async () => {
      this.#held.delete(held);
      await unlock();
    };
    this.#held.add(held);
    return held;
  }

  get locks(): number {
    return this.#held.size;
  }

  /** As if all locks had expired. */
  async endLocks(): Promise<void> {
    for (const unlock of this.#held) await unlock();
  }
}

type Operation = keyof TokenStore;

/** The connection of one process to the backing. */
export class Connection implements TokenStore {
  readonly calls: Operation[] = [];
  /** Runs in place of an operation, which it may call as `work`. */
  readonly faults: Partial<Record<Operation, (work: () => Promise<unknown>) => unknown>> = {};
  readonly #backing: TokenStore;

  constructor(backing: TokenStore = new Backing()) {
    this.#backing = backing;
  }

  async #run<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    this.calls.push(operation);
    return (await (this.faults[operation] ?? ((does) => does()))(work)) as T;
  }

  get(key: string): Promise<StoredValue | undefined> {
    return this.#run('get', () => this.#backing.get(key));
  }

  set(key: string, value: string, version: string | undefined): Promise<string | undefined> {
    return this.#run('set', () => this.#backing.set(key, value, version));
  }

  delete(key: string): Promise<void> {
    return this.#run('delete', () => this.#backing.delete(key));
  }

  lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    return this.#run('lock', () => this.#backing.lock(key, milliseconds));
  }
}

export const FOREVER = () => new Promise<never>(() => {});

/** This provider asks for so long a wait when it is busy. */
export const SHORT_WAIT_SECONDS = 0.25;

const description = acmeWith({
  subject: ({ response }) => text(response.sub),
  hints: { still_in_progress: 'Wait.', inactive_user: 'Ask an administrator.' },
  refusals: ['inactive_user'],
  meanings: [
    { says: /^inactive user$/, code: providerCode('inactive_user') },
    { error: 'access_denied', says: /^Unauthorized$/, code: 'invalid_client' },
    { says: /^not approved$/, hint: 'Approve the app.' },
  ],
  tokenError: ({ error_description: words }) =>
    words === 'Still in progress'
      ? { code: providerCode('still_in_progress'), retryAfterSeconds: SHORT_WAIT_SECONDS }
      : undefined,
  refreshTokenLifetime: { idle: 30 * 86_400 },
  // It has the same endpoints.
  environment: { region: String },
});

export function clientOf(
  { origin }: { origin: string },
  options: { clientID?: string; timeout?: number } = {},
): OAuth2Client<AcmeOptions> {
  return new OAuth2Client(description, {
    ...CREDENTIALS,
    tokenURL: `${origin}/token`,
    revocationURL: `${origin}/revoke`,
    timeout: TIMEOUT,
    ...options,
  });
}

const KEY = 'zoe';
const STORED_KEY = JSON.stringify(['acme', CREDENTIALS.clientID, KEY]);

/** The provider, and the processes that use it. */
export class World {
  readonly provider: Provider;
  readonly backing = new Backing();

  private constructor(provider: Provider) {
    this.provider = provider;
  }

  static async make(): Promise<World> {
    return new World(await Provider.start());
  }

  /** A process; the client of each has its own connections. */
  process(client = clientOf(this.provider)): { tokens: UserTokens; store: Connection } {
    const store = new Connection(this.backing);
    return { tokens: userTokens(client, { store, key: KEY }), store };
  }

  /** Keeps tokens that came this many milliseconds ago. */
  async keep(age: number, changes: Partial<TokenRecord> = {}): Promise<void> {
    const since = Date.now() - age;
    const tokens = this.provider.grant({ expiresAt: since + this.provider.expiresIn * 1000 });
    await this.put({ tokens, since, signedInAt: since, ...changes });
  }

  async put(record: TokenRecord): Promise<void> {
    await this.write(serialize(record));
  }

  async write(value: string): Promise<void> {
    const stored = await this.backing.get(STORED_KEY);
    await this.backing.set(STORED_KEY, value, stored?.version);
  }

  /** Makes the kept tokens older. */
  async age(milliseconds: number): Promise<void> {
    const record = await this.kept();
    const { tokens, since, ...others } = record;
    const expiresAt = (tokens.expiresAt ?? 0) - milliseconds;
    await this.put({ ...others, tokens: { ...tokens, expiresAt }, since: since - milliseconds });
  }

  /** As if the time were over for which no process refreshes. */
  async endPause(): Promise<void> {
    const { failure: _, ...record } = await this.kept();
    await this.put(record);
    await this.backing.endLocks();
  }

  async kept(): Promise<TokenRecord> {
    return parseRecord((await this.backing.get(STORED_KEY))?.value ?? '');
  }

  async forget(): Promise<void> {
    await this.backing.delete(STORED_KEY);
  }
}

/** In this suite the pauses of a second or more, which wait for other processes, are over at once. */
export function withoutLongPauses(): void {
  const { setTimeout: real } = timers;
  const quick = (milliseconds = 0) => real(milliseconds >= 1000 ? 5 : milliseconds);
  beforeEach(() => void Object.assign(timers, { setTimeout: quick }));
  afterEach(() => void Object.assign(timers, { setTimeout: real }));
}

/** Runs with another function in place of one of the platform's. */
export async function replacing<Owner extends object, Name extends keyof Owner, T>(
  owner: Owner,
  name: Name,
  other: Owner[Name],
  work: () => Promise<T>,
): Promise<T> {
  const before = owner[name];
  owner[name] = other;
  try {
    const result = await work();
    expect(owner[name], 'two at once would leave the platform wrong').to.equal(other);
    return result;
  } finally {
    owner[name] = before;
  }
}

/** Runs with another clock. */
export async function atAnotherTime<T>(shift: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  return await replacing(Date, 'now', () => now() + shift, work);
}

/** Runs with a clock for deadlines that `skip` puts forward. */
export async function skipping<T>(
  work: (skip: (milliseconds: number) => void) => Promise<T>,
): Promise<T> {
  const now = performance.now.bind(performance);
  let skipped = 0;
  const skip = (milliseconds: number) => void (skipped += milliseconds);
  return await replacing(
    performance,
    'now',
    () => now() + skipped,
    () => work(skip),
  );
}

/** The pauses of some work, which are over at once; with a number in place of a random one. */
export async function pausesOf(work: () => Promise<unknown>, random = 0): Promise<number[]> {
  const { setTimeout: real } = timers;
  const pauses: number[] = [];
  const quick = async (milliseconds = 0) => {
    pauses.push(milliseconds);
    await real(0);
  };
  const quickly = () => replacing(timers, 'setTimeout', quick as typeof real, work);
  await replacing(Math, 'random', () => random, quickly);
  return pauses;
}
