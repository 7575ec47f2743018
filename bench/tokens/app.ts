/** The app that uses stored tokens: ours, and the peers' nearest equal, in one process. */
import { createClient } from 'redis';
import {
  MemoryTokenStore,
  OAuth2Client,
  RedisTokenStore,
  authorizedFetch,
  planRefreshes,
  userTokens,
} from 'crm-oauth2';
import type { UserTokens } from 'crm-oauth2';
import { salesforce } from 'passport-salesforce-oauth2';
import { cpu, heap } from '../login/app-parts';
import { serve } from '../login/rpc';
import { requirePeer } from '../places';
import type { ENDED as Ended } from './provider';

const ENDED: typeof Ended = 'ended';
const SECRETS = ['a secret of 32 characters or more'];
const DAY_MS = 86_400_000;
/** The people whose tokens are used in turn. */
const IN_TURN = 100;
/** Seconds for which a token is used without a look at the store. */
const CACHE_SECONDS = 60;
const SAVES_AT_ONCE = 64;
const JSON_WANTED = { headers: { accept: 'application/json' } };

/** One way to use a token. */
export type Use =
  /** The client of Redis alone, with the same names and values. */
  | 'get'
  | 'token'
  /** With a `userTokens` of its own for each use. */
  | 'token made anew'
  | 'cached'
  /** Of a person who is picked at random among all. */
  | 'anyone'
  | 'google headers'
  | 'call'
  | 'google call'
  | 'jsforce call';

export interface Cost {
  /** Microseconds of this process for one use. */
  cpu: number;
  perSecond: number;
}

interface GoogleClient {
  setCredentials(credentials: object): void;
  getAccessToken(): Promise<{ token?: string | null }>;
  getRequestHeaders(): Promise<unknown>;
  request(options: object): Promise<unknown>;
}
interface JsforceConnection {
  accessToken: string;
  request(options: object): Promise<unknown>;
}
type Peer<T> = new (options: object) => T;

interface Setting {
  origin: string;
  client: OAuth2Client;
  store: RedisTokenStore;
  redis: Awaited<ReturnType<typeof connectTo>>;
  people: number;
  names: string[];
  sources: UserTokens[];
  cached: UserTokens[];
}

let setting: Setting | undefined;

function current(): Setting {
  if (!setting) throw new Error('open comes first');
  return setting;
}

const keyOf = (person: number) => `person-${person}`;

const tokensOf = (person: number) => ({
  accessToken: `00D000000000001!${'x'.repeat(90)}${person}`,
  refreshToken: `5Aep${'y'.repeat(80)}${person}`,
  tokenType: 'Bearer',
  expiresAt: Date.now() + DAY_MS,
  response: { instance_url: current().origin, id: `https://login.example.com/id/00D/005${person}` },
});

async function connectTo(port: number) {
  const redis = createClient({ url: `redis://127.0.0.1:${port}` });
  redis.on('error', () => undefined);
  return await redis.connect();
}

async function open({ redisPort, origin }: { redisPort: number; origin: string }): Promise<void> {
  const redis = await connectTo(redisPort);
  const client = new OAuth2Client(salesforce, {
    clientID: 'bench',
    clientSecret: 'the secret of bench',
    loginURL: origin,
  }) as OAuth2Client;
  const store = new RedisTokenStore({ client: redis, secrets: SECRETS });
  setting = { origin, client, store, redis, people: 0, names: [], sources: [], cached: [] };
}

/** Stores the tokens of people up to this number. @returns seconds */
async function keep({ people }: { people: number }): Promise<number> {
  const { client, store, redis } = current();
  const began = performance.now();
  let next = current().people;
  await Promise.all(
    Array.from({ length: SAVES_AT_ONCE }, async () => {
      while (next < people) {
        const person = next;
        next += 1;
        await userTokens(client, { store, key: keyOf(person) }).save(tokensOf(person));
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  current().people = people;
  if (current().names.length === 0) {
    current().names = (await redis.keys('*')).slice(0, IN_TURN);
    const keys = Array.from({ length: IN_TURN }, (_, person) => keyOf(person));
    current().sources = keys.map((key) => userTokens(client, { store, key }));
    current().cached = keys.map((key) => userTokens(client, { store, key, cache: CACHE_SECONDS }));
  }
  return seconds;
}

const google = (credentials: object) => {
  const { OAuth2Client: Client } = requirePeer('google-auth-library') as {
    OAuth2Client: Peer<GoogleClient>;
  };
  const { origin } = current();
  const client = new Client({
    clientId: 'bench',
    clientSecret: 'the secret of bench',
    endpoints: { oauth2TokenUrl: `${origin}/token` },
  });
  client.setCredentials(credentials);
  return client;
};

const jsforce = (accessToken: string) => {
  const { Connection } = requirePeer('jsforce') as { Connection: Peer<JsforceConnection> };
  const { origin } = current();
  return new Connection({
    oauth2: {
      clientId: 'bench',
      clientSecret: 'the secret of bench',
      redirectUri: `${origin}/callback`,
      loginUrl: origin,
      tokenServiceUrl: `${origin}/token`,
      authzServiceUrl: `${origin}/authorize`,
    },
    instanceUrl: origin,
    accessToken,
    refreshToken: 'rt',
  });
};

const fresh = () => ({
  access_token: 'at-1',
  refresh_token: 'rt',
  expiry_date: Date.now() + DAY_MS,
});

type Act = (index: number) => Promise<unknown>;

const at = <T>(list: readonly T[], index: number) => list[index % list.length] as T;

/** For each way, a function that gets ready and returns the one that uses a token. */
const USES: Record<Use, (setting: Setting) => Act> = {
  get:
    ({ redis, names }) =>
    async (index) =>
      await redis.get(at(names, index)),
  token:
    ({ sources }) =>
    async (index) =>
      await at(sources, index).getAccessToken(),
  'token made anew':
    ({ client, store }) =>
    async (index) =>
      await userTokens(client, { store, key: keyOf(index % IN_TURN) }).getAccessToken(),
  cached:
    ({ cached }) =>
    async (index) =>
      await at(cached, index).getAccessToken(),
  anyone:
    ({ client, store, people }) =>
    async () => {
      const key = keyOf(Math.floor(Math.random() * people));
      return await userTokens(client, { store, key }).getAccessToken();
    },
  'google headers': () => {
    const peer = google(fresh());
    return async () => await peer.getRequestHeaders();
  },
  call: ({ origin, cached }) => {
    const calls = cached.map((source) => authorizedFetch(source, { baseURL: origin }));
    return async (index) => await (await at(calls, index)('/api', JSON_WANTED)).json();
  },
  'google call': ({ origin }) => {
    const peer = google(fresh());
    return async () => await peer.request({ url: `${origin}/api`, ...JSON_WANTED });
  },
  'jsforce call': ({ origin }) => {
    const peer = jsforce('at-1');
    return async () => await peer.request({ method: 'GET', url: `${origin}/api`, ...JSON_WANTED });
  },
};

/** Uses a token many times, some at a time. */
async function measure({
  use,
  uses,
  concurrency,
}: {
  use: Use;
  uses: number;
  concurrency: number;
}): Promise<Cost> {
  const act = USES[use](current());
  for (let index = 0; index < IN_TURN; index += 1) await act(index);
  let next = 0;
  const began = performance.now();
  const before = cpu();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < uses) {
        const index = next;
        next += 1;
        await act(index);
      }
    }),
  );
  const spent = cpu() - before;
  return { cpu: spent / uses, perSecond: (1000 * uses) / (performance.now() - began) };
}

export type Refresher = 'redis' | 'memory' | 'google' | 'jsforce';

/** Many callers whose token has ended. @returns milliseconds until the last one has its token or answer */
async function refresh({ by, callers }: { by: Refresher; callers: number }): Promise<number> {
  const act = await refresherOf(by);
  const began = performance.now();
  await Promise.all(Array.from({ length: callers }, act));
  return performance.now() - began;
}

async function refresherOf(by: Refresher): Promise<() => Promise<unknown>> {
  const { origin, client } = current();
  if (by === 'google') {
    const peer = google({ access_token: ENDED, refresh_token: 'rt', expiry_date: 1 });
    return async () => await peer.getAccessToken();
  }
  if (by === 'jsforce') {
    // It notices that a token has ended when the API refuses it.
    const peer = jsforce(ENDED);
    return async () => await peer.request({ method: 'GET', url: `${origin}/api` });
  }
  const store = by === 'redis' ? current().store : new MemoryTokenStore();
  const source = userTokens(client, { store, key: `refreshed-${performance.now()}` });
  await source.save({ ...tokensOf(0), accessToken: ENDED, expiresAt: Date.now() - 1000 });
  return async () => await source.getAccessToken();
}

/** Between two looks at the heap while a plan is made. */
const LOOK_EVERY = 50_000;

/** A plan over the records of all people, each read as often as it takes. */
async function plan({ records }: { records: number }) {
  const { client, store, people } = current();
  const heaps: number[] = [await heap()];
  async function* keys(): AsyncGenerator<string> {
    for (let record = 0; record < records; record += 1) {
      if (record > 0 && record % LOOK_EVERY === 0) heaps.push(await heap());
      yield keyOf(record % people);
    }
  }
  const began = performance.now();
  const before = cpu();
  // Nothing is due: the plan itself is empty, and the heap shows what the reading keeps.
  const due = await planRefreshes(client, {
    store,
    keys: keys(),
    lifetime: { idle: 30 * 86_400 },
    dueBefore: Date.now() + DAY_MS,
  });
  return {
    seconds: (performance.now() - began) / 1000,
    cpu: (cpu() - before) / records,
    due: due.length,
    heaps,
  };
}

const handlers = { open, keep, measure, refresh, plan, heap };

export type TokenHandlers = typeof handlers;
export type Plan = Awaited<ReturnType<typeof plan>>;

serve(handlers);
