/** The months after a login: tokens from a store, refreshed at each provider of the emulator. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator, ProviderName } from 'crm-emulator';
import { MemoryTokenStore, planRefreshes, userTokens } from 'crm-oauth2';
import type { OAuth2Client, TokenSet } from 'crm-oauth2';
import { rejection } from 'crm-oauth2/testing';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { CALLBACK } from './describe-provider';
import { Browser } from './support/browser';

interface Persona {
  create: (emulator: Emulator) => OAuth2Client;
  /** The path of the token endpoint. */
  path: string;
  /** True if a refresh token changes with every use. */
  rotates: boolean;
  /** The provider's answer to a refresh token that has ended. */
  refusal: { status: number; message: RegExp };
  /** True if revoking a refresh token ends the access token that came with it. */
  accessTokenEnds: boolean;
}

const verify = () => undefined;
const callbackURL = CALLBACK;

const PERSONAS: Readonly<Record<ProviderName, Persona>> = {
  salesloft: {
    create: ({ salesloft }) =>
      new SalesloftStrategy({ ...salesloft.options, callbackURL }, verify).client,
    path: '/oauth/token',
    rotates: true,
    refusal: { status: 400, message: /invalid/ },
    accessTokenEnds: true,
  },
  salesos: {
    create: ({ salesos }) =>
      new SalesosStrategy(
        { ...salesos.options, callbackURL, scope: ['profile', 'email', 'offline_access'] },
        verify,
      ).client,
    path: '/oauth/token',
    rotates: true,
    refusal: { status: 403, message: /Unknown or invalid refresh token/ },
    accessTokenEnds: false,
  },
  salesforce: {
    create: ({ salesforce }) =>
      new SalesforceStrategy(
        { ...salesforce.options, callbackURL, scope: ['openid', 'id', 'refresh_token'] },
        verify,
      ).client,
    path: '/services/oauth2/token',
    rotates: false,
    refusal: { status: 400, message: /expired access\/refresh token/ },
    accessTokenEnds: true,
  },
};

/** Signs a person in, without Passport. */
async function login(client: OAuth2Client, who = 'Marta Quill'): Promise<TokenSet> {
  const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK });
  const callback = new URL(await new Browser().signIn(url, who));
  const response = await client.validateAuthorizationResponse(
    Object.fromEntries(callback.searchParams),
    () => attempt,
  );
  return await client.authorizationCodeGrant(response);
}

/** The same tokens, which end now. */
const expired = (tokens: TokenSet): TokenSet => ({ ...tokens, expiresAt: Date.now() });

for (const [name, persona] of Object.entries(PERSONAS) as [ProviderName, Persona][]) {
  describe(`${name}: stored tokens against the emulator`, () => {
    let emulator: Emulator;
    let client: OAuth2Client;
    before(async () => {
      emulator = await startEmulator({ port: 0 });
    });
    beforeEach(() => {
      client = persona.create(emulator);
    });
    afterEach(() => {
      emulator[name].clearFaults();
      client.close();
    });
    after(() => emulator.close());

    /** How often the token endpoint is asked meanwhile. */
    async function asked<T>(work: () => Promise<T>): Promise<[T, number]> {
      const before = emulator[name].requests.length;
      const result = await work();
      const requests = emulator[name].requests.slice(before);
      return [result, requests.filter(({ path }) => path === persona.path).length];
    }

    /** A login whose tokens are kept under the id of the profile. */
    async function keep() {
      const granted = await login(client);
      const { id } = await client.fetchProfile(granted);
      expect(granted.subject ?? id).to.equal(id);
      const store = new MemoryTokenStore();
      return { granted, id, store, tokens: userTokens(client, { store, key: id }) };
    }

    it('RFC 6749 §6 — logs in, keeps, refreshes, and goes on', async () => {
      const { granted, id, tokens } = await keep();
      await tokens.save(granted);
      expect(await asked(() => tokens.getAccessToken())).to.deep.equal([granted.accessToken, 0]);

      let { refreshToken } = granted;
      for (let month = 0; month < 3; month += 1) {
        await tokens.save(expired({ ...granted, ...(refreshToken && { refreshToken }) }));
        const [next, count] = await asked(() => tokens.getTokens());
        expect(count).to.equal(1);
        expect(next.accessToken).not.to.equal(granted.accessToken);
        expect(next.refreshToken === refreshToken).to.equal(!persona.rotates);
        expect(next.subject).to.equal(granted.subject);
        expect((await client.fetchProfile(next)).id).to.equal(id);
        ({ refreshToken } = next);
      }
    });

    it('RFC 9700 §4.14.2 — 1000 concurrent callers of an expired token: one refresh', async () => {
      const { granted, id, store, tokens } = await keep();
      await tokens.save(expired(granted));
      const [all, count] = await asked(() =>
        Promise.all(
          Array.from({ length: 1000 }, () => userTokens(client, { store, key: id }).getTokens()),
        ),
      );
      expect(count).to.equal(1);
      expect(new Set(all.map(({ accessToken }) => accessToken)).size).to.equal(1);
      expect(all[0]?.accessToken).not.to.equal(granted.accessToken);
    });

    it('RFC 6749 §5.2 — a refresh token that has ended: the person must sign in again', async () => {
      const { granted, tokens } = await keep();
      await tokens.save(expired({ ...granted, refreshToken: `${granted.refreshToken}x` }));
      const error = await rejection(tokens.getAccessToken());
      expect(error).to.include({
        code: 'reauthorization_required',
        provider: name,
        stage: 'refresh',
        host: new URL(emulator[name].origin).host,
      });
      expect(error.cause).to.include({ code: 'invalid_grant', status: persona.refusal.status });
      expect((error.cause as Error).message).to.match(persona.refusal.message);
    });

    it('RFC 7009 — revoke() ends the grant, and forgets it', async () => {
      const { granted, tokens } = await keep();
      await tokens.save(granted);
      await tokens.revoke();
      expect((await rejection(tokens.getAccessToken())).code).to.equal('reauthorization_required');
      expect(await rejection(client.refreshTokenGrant(granted.refreshToken ?? ''))).to.include({
        code: 'invalid_grant',
      });
      if (persona.accessTokenEnds) await rejection(client.fetchProfile(granted));
    });

    for (const [title, fault, code] of [
      ['a web page', { kind: 'html' }, 'unexpected_content_type'],
      ['503', { kind: 'status', status: 503 }, 'provider_unavailable'],
      ['a reset', { kind: 'reset' }, 'connection_failed'],
    ] as const) {
      it(`RFC 9700 §4.14.2 — a refresh answered by ${title} is not repeated at once`, async () => {
        const { granted, tokens } = await keep();
        // Three minutes to live, of an hour.
        const { now } = Date;
        Date.now = () => now() - 3_420_000;
        await tokens.save({ ...granted, expiresAt: now() + 180_000 });
        Date.now = now;
        emulator[name].fault({ step: 'token', ...fault });
        const [first, count] = await asked(() => tokens.getAccessToken());
        expect([first, count]).to.deep.equal([granted.accessToken, 1]);
        expect(await asked(() => tokens.getAccessToken())).to.deep.equal([first, 0]);

        // Another person's tokens, without a lock that is kept.
        const others = userTokens(client, { store: new MemoryTokenStore(), key: 'zoe' });
        await others.save(expired(granted));
        emulator[name].fault({ step: 'token', ...fault });
        expect(await rejection(others.getTokens())).to.include({
          code,
          provider: name,
          stage: 'refresh',
        });
      });
    }

    it('planRefreshes — gives the time of the next refresh, and refresh() refreshes', async () => {
      const { granted, id, store, tokens } = await keep();
      await tokens.save(granted);
      const [planned] = await planRefreshes(client, { store, keys: [id] });
      const { idle, absolute } = client.provider.refreshTokenLifetime ?? {};
      const age = await tokens.age();
      expect(planned?.refreshBy).to.equal(idle && age && age.since + idle * 1000);
      expect(planned?.signInBy).to.equal(absolute && age && age.signedInAt + absolute * 1000);
      const [next, count] = await asked(() => tokens.refresh());
      expect(count).to.equal(1);
      expect(next.accessToken).not.to.equal(granted.accessToken);
    });
  });
}

describe('stored tokens', () => {
  it('salesforce 4.3 — an app that rotates refresh tokens', async () => {
    const emulator = await startEmulator({ refreshTokenRotation: { salesforce: true } });
    const client = PERSONAS.salesforce.create(emulator);
    try {
      const store = new MemoryTokenStore();
      const tokens = userTokens(client, { store, key: 'marta' });
      await tokens.save(expired(await login(client)));
      let last: TokenSet | undefined;
      for (let month = 0; month < 3; month += 1) {
        const next = await tokens.getTokens();
        expect(next.refreshToken).not.to.equal(last?.refreshToken);
        await tokens.save(expired(next));
        last = next;
      }
    } finally {
      client.close();
      await emulator.close();
    }
  });

  it('RFC 7662 — Salesforce says when a token ends', async () => {
    const emulator = await startEmulator({ port: 0 });
    const client = PERSONAS.salesforce.create(emulator);
    try {
      const tokens = await login(client);
      const known = await client.introspectToken(tokens.accessToken, { tokens });
      expect(known.active).to.equal(true);
      expect(known.exp).to.be.closeTo(Date.now() / 1000 + 7200, 10);
      expect(await client.introspectToken('unknown', { tokens })).to.deep.equal({ active: false });
    } finally {
      client.close();
      await emulator.close();
    }
  });

  it('a process — ends by itself after a refresh', async () => {
    const emulator = await startEmulator({ port: 0 });
    const client = PERSONAS.salesloft.create(emulator);
    try {
      const { refreshToken } = await login(client);
      const { clientID, clientSecret, tokenURL } = emulator.salesloft.options;
      const script = `
        const { MemoryTokenStore, OAuth2Client, userTokens } = require('crm-oauth2');
        const { salesloft } = require('passport-salesloft');
        const [options, refreshToken] = JSON.parse(process.env.TEST_INPUT);
        const client = new OAuth2Client(salesloft, options);
        const tokens = userTokens(client, { store: new MemoryTokenStore(), key: 'marta' });
        const old = { accessToken: 'x', refreshToken, tokenType: 'Bearer', response: {} };
        tokens.save({ ...old, expiresAt: 0 }).then(() => tokens.getAccessToken()).then((token) => {
          const began = performance.now();
          process.on('exit', () => console.log(token !== 'x' && performance.now() - began < 2000));
        });`;
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
        env: {
          ...process.env,
          TEST_INPUT: JSON.stringify([{ clientID, clientSecret, tokenURL }, refreshToken]),
        },
      });
      expect(stdout.trim()).to.equal('true');
    } finally {
      client.close();
      await emulator.close();
    }
  });
});
