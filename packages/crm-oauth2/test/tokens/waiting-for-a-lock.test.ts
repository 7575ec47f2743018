/** `userTokens` while another process, perhaps a killed one, has the lock. */
import { expect } from 'chai';
import { describe as described } from '../../dist/errors/oauth2-error';
import { Problem } from '../../dist/errors/problem';
import { MemoryTokenStore, userTokens } from '../../dist/index';
import type { TokenSet } from '../../dist/index';
import type { RefreshClient } from '../../dist/tokens/user-tokens';
import { pause, rejection } from '../support';

const LIFETIME = 7_200_000;
/** A token is not sent in its last ten seconds. */
const USABLE_FOR = LIFETIME - 10_000;

const KEY = JSON.stringify(['salesloft', 'client-1', 'zoe']);

function tokenSet(name: string): TokenSet {
  return {
    accessToken: `at-${name}`,
    refreshToken: `rt-${name}`,
    tokenType: 'Bearer',
    response: {},
  };
}

function clientThat(refreshTokenGrant: RefreshClient['refreshTokenGrant']): RefreshClient {
  return {
    provider: { name: 'salesloft', hints: {}, refusals: [] },
    clientID: 'client-1',
    timeout: 500,
    endpoints: { authorizationEndpoint: '', tokenEndpoint: 'https://accounts.example/token' },
    refreshTokenGrant,
    revokeToken: () => Promise.reject(new Error('not called')),
  };
}

/** A store with Zoe's tokens, which are usable for so many more milliseconds. */
async function storeWith(milliseconds: number): Promise<MemoryTokenStore> {
  const store = new MemoryTokenStore();
  const since = Date.now() + milliseconds - USABLE_FOR;
  const { accessToken, refreshToken } = tokenSet('1');
  const tokens = { accessToken, refreshToken, expiresAt: since + LIFETIME, response: {} };
  await store.set(KEY, JSON.stringify({ ...tokens, since, signedInAt: since }), undefined);
  return store;
}

describe('userTokens — while another process has the lock', () => {
  it('token that is usable for a while — is returned, without waiting for the lock', async () => {
    const store = await storeWith(100_000);
    await store.lock(KEY, 100_000);
    const client = clientThat(() => Promise.reject(new Error('not called')));
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await tokens.getAccessToken()).to.equal('at-1');
  });

  it('token that ends meanwhile — is not returned: the next one is awaited', async () => {
    const store = await storeWith(50);
    await store.lock(KEY, 700);
    const client = clientThat(() => Promise.resolve(tokenSet('2')));
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await tokens.getAccessToken()).to.equal('at-2');
  });

  it('token that ends while the provider fails — is not returned: the call rejects', async () => {
    const store = await storeWith(50);
    const client = clientThat(async () => {
      await pause(100);
      const details = { status: 503, reportedIn: 'token response' } as const;
      const problem = new Problem('server_error', 'the provider is down', details);
      throw described(problem, { provider: { name: 'salesloft', hints: {} }, stage: 'refresh' });
    });
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await rejection(tokens.getAccessToken())).to.have.property('code', 'server_error');
  });

  it('lock that comes after the timeout — is given back when it comes', async () => {
    const store = await storeWith(0);
    const lock = store.lock.bind(store);
    store.lock = async (key, milliseconds) => {
      await pause(700);
      return await lock(key, milliseconds);
    };
    const client = clientThat(() => Promise.reject(new Error('not called')));
    const error = await rejection(userTokens(client, { store, key: 'zoe' }).getAccessToken());
    expect(error).to.include({ code: 'store_timeout', stage: 'store' });
    await pause(400);
    const unlock = await lock(KEY, 1000);
    expect(unlock, 'another process gets it').to.be.a('function');
  });

  it('lock that the store refuses to take — is told with its cause', async () => {
    const store = await storeWith(0);
    store.lock = () => {
      throw new Error('no connection');
    };
    const client = clientThat(() => Promise.reject(new Error('not called')));
    const error = await rejection(userTokens(client, { store, key: 'zoe' }).getAccessToken());
    expect(error).to.include({ code: 'store_unavailable', stage: 'store' });
    expect((error.cause as Error).message).to.equal('no connection');
  });
});
