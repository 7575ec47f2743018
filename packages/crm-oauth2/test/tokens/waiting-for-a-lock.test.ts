/** What callers of `userTokens` get while another process, perhaps a killed one, has the lock. */
import { expect } from 'chai';
import { MemoryTokenStore, TokenError, userTokens } from '../../dist/index';
import type { RefreshClient, TokenSet } from '../../dist/index';
import { pause, rejection } from '../support';

const LIFETIME = 7_200_000;
/** The last moments of a token are not used. */
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
    provider: { name: 'salesloft', hints: {} },
    clientID: 'client-1',
    timeout: 500,
    endpoints: { authorizationEndpoint: '', tokenEndpoint: 'https://accounts.example/token' },
    refreshTokenGrant,
    revokeToken: () => Promise.reject(new Error('not called')),
  };
}

/** A store with Zoe's tokens, which are used for so many more milliseconds. */
async function storeWith(milliseconds: number): Promise<MemoryTokenStore> {
  const store = new MemoryTokenStore();
  const since = Date.now() + milliseconds - USABLE_FOR;
  const { accessToken, refreshToken } = tokenSet('1');
  const tokens = { accessToken, refreshToken, expiresAt: since + LIFETIME, response: {} };
  await store.set(KEY, JSON.stringify({ ...tokens, since, signedInAt: since }), undefined);
  return store;
}

describe('userTokens — while another one has the lock', () => {
  it('token that is good for a while — is used, without waiting for the lock', async () => {
    const store = await storeWith(100_000);
    await store.lock(KEY, 100_000);
    const client = clientThat(() => Promise.reject(new Error('not called')));
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await tokens.getAccessToken()).to.equal('at-1');
  });

  it('token that ends meanwhile — is not used: the next one is waited for', async () => {
    const store = await storeWith(50);
    await store.lock(KEY, 700);
    const client = clientThat(() => Promise.resolve(tokenSet('2')));
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await tokens.getAccessToken()).to.equal('at-2');
  });

  it('token that ends while the provider fails — is not used: the failure is told', async () => {
    const store = await storeWith(50);
    const client = clientThat(async () => {
      await pause(100);
      throw new TokenError('the provider is down', 'server_error', '', 503);
    });
    const tokens = userTokens(client, { store, key: 'zoe' });
    expect(await rejection(tokens.getAccessToken())).to.have.property('code', 'server_error');
  });
});
