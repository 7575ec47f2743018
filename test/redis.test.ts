/** RedisTokenStore, with the package `redis` and a real server. */
import { expect } from 'chai';
import { OAuth2Client, RedisTokenStore, isOAuth2Error, userTokens } from 'crm-oauth2';
import type { IoredisClient, TokenSet } from 'crm-oauth2';
import { tokenStoreChecks } from 'crm-oauth2/testing';
import { salesloft } from 'passport-salesloft';
import { createClient } from 'redis';
import { RedisServer, describeWithRedis } from './support/redis';

const SECRET = 'a secret of the store, of 32 characters and more';
const OTHER = 'another secret of the store, of 32 characters and more';
const PERSON = 'person-48201';
const TOKENS: TokenSet = Object.freeze({
  accessToken: 'access-token-of-the-person',
  refreshToken: 'refresh-token-of-the-person',
  tokenType: 'Bearer',
  expiresAt: Date.now() + 3_600_000,
  scope: 'scope-of-the-person',
  response: { instance_url: 'https://instance.example' },
});

type Client = ReturnType<typeof clientOf>;

/** The calls of ioredis, over the connection of another client. */
const ioredisOver = (client: Client): IoredisClient => ({
  get: (key) => client.get(key),
  del: (key) => client.del(key),
  eval: (script, numberOfKeys, ...rest) =>
    client.eval(script, {
      keys: rest.slice(0, numberOfKeys),
      arguments: rest.slice(numberOfKeys),
    }),
  defineCommand() {},
});

const clientOf = (url: string, disableOfflineQueue = false) =>
  createClient({ url, disableOfflineQueue, socket: { reconnectStrategy: 20 } }).on('error', () => {
    // An application would log it; the client connects again.
  });

const personIn = (store: RedisTokenStore, key = PERSON, timeout = 5000) =>
  userTokens(new OAuth2Client(salesloft, { clientID: 'id', clientSecret: 'secret', timeout }), {
    store,
    key,
  });

/** The code of an error of this family. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`should have been refused, but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isOAuth2Error(error)) throw error;
  return error.code;
}

describeWithRedis('redis', () => {
  const redis = new RedisServer();
  let one: Client;
  let other: Client;

  before(async () => {
    await redis.start();
    one = await clientOf(redis.url).connect();
    other = await clientOf(redis.url).connect();
  });
  afterEach(async () => {
    await one.flushAll();
  });
  after(async () => {
    one?.destroy();
    other?.destroy();
    await redis.close();
  });

  describe('the store', () => {
    let opened = 0;
    for (const { title, run } of tokenStoreChecks(() => {
      opened += 1;
      return new RedisTokenStore({ client: opened % 2 ? one : other, secrets: [SECRET] });
    })) {
      it(title, run);
    }
  });

  describe('the store, with ioredis', () => {
    for (const { title, run } of tokenStoreChecks(
      () => new RedisTokenStore({ client: ioredisOver(one), secrets: [SECRET] }),
    )) {
      it(title, run);
    }
  });

  describe('the contents of Redis', () => {
    it('keys and values — contain no key, person, token or secret in the clear', async () => {
      const store = new RedisTokenStore({ client: one, secrets: [SECRET] });
      await personIn(store).save(TOKENS);
      const unlock = await store.lock(PERSON, 10_000);
      const keys = await one.keys('*');
      expect(keys).to.have.length(2);
      const values = await Promise.all(keys.map(async (key) => (await one.get(key)) ?? ''));
      const parts = [...keys, ...values].flatMap((text) => text.split(/[.:]/));
      const decoded = parts.flatMap((part) =>
        (['base64url', 'hex'] as const).map((encoding) => Buffer.from(part, encoding).toString()),
      );
      const seen = [...keys, ...values, ...decoded].join('\n');
      expect(seen).to.include('{"alg":"dir","enc":"A256GCM"}');
      for (const hidden of [
        PERSON,
        '48201',
        'token-of',
        'scope',
        'instance',
        'salesloft',
        SECRET,
      ]) {
        expect(seen).not.to.include(hidden);
      }
      await unlock?.();
    });

    it('prefix — begins every name, and separates stores', async () => {
      const ours = new RedisTokenStore({ client: one, secrets: [SECRET], prefix: 'app:' });
      const theirs = new RedisTokenStore({ client: other, secrets: [SECRET] });
      await ours.set(PERSON, 'ours', undefined);
      await theirs.set(PERSON, 'theirs', undefined);
      expect((await ours.get(PERSON))?.value).to.equal('ours');
      await ours.lock(PERSON, 10_000);
      expect(await theirs.lock(PERSON, 10_000)).to.be.a('function');
      const names = (await one.keys('*')).map((name) => name.replace(/[\w-]{43}$/, 'HASH'));
      expect(names).to.have.members([
        'app:tokens:HASH',
        'app:lock:HASH',
        'crm-oauth2:tokens:HASH',
        'crm-oauth2:lock:HASH',
      ]);
    });

    it('time — a lock ends by itself, a value does not', async () => {
      const store = new RedisTokenStore({ client: one, secrets: [SECRET] });
      await store.set(PERSON, 'value', undefined);
      await store.lock(PERSON, 9999.5);
      const [lock = ''] = await one.keys('*lock*');
      const [value = ''] = await one.keys('*tokens*');
      expect(await one.pTTL(lock)).to.be.within(1, 10_000);
      expect(await one.pTTL(value)).to.equal(-1);
    });

    it('secrets — rotate: the new one last, then first, then alone', async () => {
      const [old, behind, front, alone] = [[OTHER], [OTHER, SECRET], [SECRET, OTHER], [SECRET]].map(
        (secrets, index) => new RedisTokenStore({ client: index % 2 ? one : other, secrets }),
      ) as [RedisTokenStore, RedisTokenStore, RedisTokenStore, RedisTokenStore];
      await personIn(old).save(TOKENS);
      expect(await personIn(behind).getAccessToken()).to.equal(TOKENS.accessToken);
      expect(await personIn(front).getAccessToken()).to.equal(TOKENS.accessToken);
      expect(await codeOf(personIn(alone).getAccessToken())).to.equal('store_corrupt');
      await personIn(front).save({ ...TOKENS, accessToken: 'written again' });
      for (const store of [behind, front, alone]) {
        expect(await personIn(store).getAccessToken()).to.equal('written again');
      }
      expect(await codeOf(personIn(old).getAccessToken())).to.equal('store_corrupt');
    });
  });

  describe('a value that this store did not write', () => {
    it("another person's value — is refused, and left as it is", async () => {
      const store = new RedisTokenStore({ client: one, secrets: [SECRET] });
      await personIn(store, 'anna').save(TOKENS);
      await personIn(store, 'bert').save(TOKENS);
      const [first = '', second = ''] = await one.keys('*');
      const [firstValue, secondValue] = [(await one.get(first))!, (await one.get(second))!];
      await one.mSet({ [first]: secondValue, [second]: firstValue });
      for (const key of ['anna', 'bert']) {
        expect(await codeOf(personIn(store, key).getAccessToken())).to.equal('store_corrupt');
        expect(await codeOf(personIn(store, key).refresh())).to.equal('store_corrupt');
      }
      expect(await one.mGet([first, second])).to.deep.equal([secondValue, firstValue]);
    });

    for (const garbage of ['', 'garbage', '{"accessToken":"a"}', 'a.b.c.d.e', '\0\uFFFD']) {
      it(`${JSON.stringify(garbage)} — is refused, and left as it is until a login`, async () => {
        const tokens = personIn(new RedisTokenStore({ client: one, secrets: [SECRET] }));
        await tokens.save(TOKENS);
        const [name = ''] = await one.keys('*');
        await one.set(name, garbage);
        expect(await codeOf(tokens.getAccessToken())).to.equal('store_corrupt');
        expect(await codeOf(tokens.refresh())).to.equal('store_corrupt');
        expect(await one.get(name)).to.equal(garbage);
        await tokens.save(TOKENS);
        expect(await tokens.getAccessToken()).to.equal(TOKENS.accessToken);
      });
    }

    it('a list under the name — is an unusable answer of the store', async () => {
      const tokens = personIn(new RedisTokenStore({ client: one, secrets: [SECRET] }));
      await tokens.save(TOKENS);
      const [name = ''] = await one.keys('*');
      await one.del(name);
      await one.rPush(name, 'a');
      expect(await codeOf(tokens.getAccessToken())).to.equal('store_unavailable');
    });
  });

  it('client — must be a client of the package redis or ioredis, and return promises', () => {
    const commands = { get() {}, del() {}, eval() {} };
    for (const client of [
      undefined,
      null,
      {},
      () => {},
      { ...commands, get: undefined },
      { ...commands, del: undefined },
      { ...commands, send_command() {} },
      { ...commands, sendCommand() {} },
      { ...commands, sendCommand() {}, connect() {}, options: { legacyMode: true } },
      one.legacy(),
    ]) {
      expect(() => new RedisTokenStore({ client: client as Client, secrets: [SECRET] })).to.throw(
        TypeError,
        'RedisTokenStore: option "client" must be a client of the package',
      );
    }
    expect(() => new RedisTokenStore({ client: one, secrets: ['short'] })).to.throw(
      TypeError,
      'secrets',
    );
  });
});

describeWithRedis('redis that fails', () => {
  const SOON = 200;
  let redis: RedisServer;
  let waiting: Client;
  let hasty: Client;

  beforeEach(async () => {
    redis = new RedisServer(true);
    await redis.start();
    waiting = await clientOf(redis.url).connect();
    hasty = await clientOf(redis.url, true).connect();
  });
  afterEach(async () => {
    waiting?.destroy();
    hasty?.destroy();
    await redis.close();
  });

  const tokensOver = (client: Client, timeout?: number) =>
    personIn(new RedisTokenStore({ client, secrets: [SECRET] }), PERSON, timeout);

  /** Soon, or what a busy machine makes of it; well before the default timeout. */
  async function codeInTime(work: Promise<unknown>): Promise<string> {
    const start = performance.now();
    const code = await codeOf(work);
    expect(performance.now() - start).to.be.below(SOON + 2000);
    return code;
  }

  async function startAgain(): Promise<void> {
    const ready = [waiting, hasty].map(
      (client) =>
        new Promise<void>((resolve) => {
          client.once('ready', resolve);
        }),
    );
    await redis.start();
    await Promise.all(ready);
  }

  it('killed — fails in time, and goes on once Redis is back', async () => {
    await tokensOver(waiting).save(TOKENS);
    await redis.kill();
    expect(await codeInTime(tokensOver(waiting, SOON).getAccessToken())).to.equal('store_timeout');
    expect(await codeInTime(tokensOver(hasty).getAccessToken())).to.equal('store_unavailable');
    expect(await codeInTime(tokensOver(hasty).refresh())).to.equal('store_unavailable');
    expect(await codeInTime(tokensOver(hasty).save(TOKENS))).to.equal('store_unavailable');
    await startAgain();
    for (const client of [waiting, hasty]) {
      expect(await tokensOver(client).getAccessToken()).to.equal(TOKENS.accessToken);
    }
    await tokensOver(hasty).save({ ...TOKENS, accessToken: 'later' });
    expect(await tokensOver(waiting).getAccessToken()).to.equal('later');
  });

  it('killed while it is asked — fails, and says why', async () => {
    await tokensOver(waiting).save(TOKENS);
    redis.pause();
    const asked = tokensOver(waiting).getAccessToken();
    const refused = codeInTime(asked);
    await redis.kill();
    expect(await refused).to.equal('store_unavailable');
    expect(await asked.catch((error: Error) => error.cause)).to.be.instanceOf(Error);
    await startAgain();
    expect(await tokensOver(waiting).getAccessToken()).to.equal(TOKENS.accessToken);
  });

  it('silent — fails in time, and goes on once Redis answers', async () => {
    await tokensOver(waiting).save(TOKENS);
    redis.pause();
    expect(await codeInTime(tokensOver(waiting, SOON).getAccessToken())).to.equal('store_timeout');
    redis.resume();
    expect(await tokensOver(waiting).getAccessToken()).to.equal(TOKENS.accessToken);
  });

  it('a lock — survives a restart of Redis, and ends in time', async () => {
    const store = new RedisTokenStore({ client: waiting, secrets: [SECRET] });
    const unlock = await store.lock(PERSON, 10_000);
    await redis.kill();
    await startAgain();
    expect(await store.lock(PERSON, 10_000)).to.equal(undefined);
    await unlock?.();
    expect(await store.lock(PERSON, 10_000)).to.be.a('function');
  });
});
