/** One strategy for many tenants, each with credentials of its own, over one callback route. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { ClientRegistration, Emulator } from 'crm-emulator';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import type { TokenSet } from 'crm-oauth2';
import type { VerifyContext } from 'crm-oauth2/passport';
import { rejection } from 'crm-oauth2/testing';
import type { Request } from 'express';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from '../support/browser';
import { startApp } from '../support/express-app';
import { expectVerb, requestFor, run } from '../support/passport-run';
import type { RunnableStrategy } from '../support/passport-run';

const TENANTS = 36;
const PEOPLE = ['Marta Quill', 'Zoë Ångström', 'Tobias Fenn', 'Suri'];
const START = 'http://127.0.0.1:3000/auth';
const CALLBACK = `${START}/callback`;

/** A tenant as an application has it in its database. */
interface Row {
  clientID: string;
  clientSecret: string;
}

describe('tenants', () => {
  let emulator: Emulator;
  /** By provider, then by key. Tests change their copy only. */
  const rows = { salesloft: rowsOf('sl'), salesos: rowsOf('so'), salesforce: rowsOf('sf') };

  function rowsOf(prefix: string): Record<string, Row> {
    const names = Array.from({ length: TENANTS }, (_, index) => `${index}`);
    return Object.fromEntries(
      names.map((name) => [
        `tenant-${name}`,
        { clientID: `${prefix}-client-${name}`, clientSecret: `${prefix}-secret-${name}` },
      ]),
    );
  }

  before(async () => {
    const clients = Object.entries(rows).flatMap(([provider, own]) =>
      Object.values(own).map((row) => ({ provider, ...row }) as ClientRegistration),
    );
    const origins = { sandbox: true, myDomain: true };
    emulator = await startEmulator({ clients, origins });
  });
  after(() => emulator.close());

  const verify = ({ tokens, profile, tenant }: VerifyContext) => ({
    tenant,
    displayName: profile.displayName,
    id: profile.id,
    tokens,
  });
  type User = ReturnType<typeof verify>;

  /** The start names its tenant in the query; the callback has the bound key alone. */
  const byKey = (table: Record<string, Row>) => async (req: Request, boundKey?: string) => {
    const key = boundKey ?? new URL(req.url, START).searchParams.get('tenant') ?? '';
    await turn();
    return table[key] && { key, ...table[key] };
  };
  type Resolver = ReturnType<typeof byKey>;

  const create = {
    salesloft: (tenant: Resolver = byKey(rows.salesloft)) => {
      const { clientID: _id, clientSecret: _secret, ...urls } = emulator.salesloft.options;
      const options = { ...urls, callbackURL: CALLBACK, tenant, verify };
      return new SalesloftStrategy(options);
    },
    salesos: (tenant: Resolver = byKey(rows.salesos)) => {
      const { issuer } = emulator.salesos.options;
      const options = { issuer, offline: true, callbackURL: CALLBACK, tenant, verify };
      return new SalesosStrategy(options);
    },
    salesforce: (tenant: Resolver = byKey(rows.salesforce)) => {
      const { loginURL } = emulator.salesforce.options;
      const options = { loginURL, offline: true, callbackURL: CALLBACK, tenant, verify };
      return new SalesforceStrategy(options);
    },
  };

  async function begin(
    strategy: RunnableStrategy,
    key: string,
    session: Record<string, unknown>,
    who = 'Marta Quill',
  ): Promise<string> {
    const request = requestFor(`${START}?tenant=${key}`, session);
    const { url } = expectVerb(await run(strategy, request), 'redirect');
    return await new Browser().signIn(url, who);
  }

  async function login(strategy: RunnableStrategy, key: string): Promise<User> {
    const session = {};
    const callback = await begin(strategy, key, session);
    const outcome = await run(strategy, requestFor(callback, session));
    return expectVerb(outcome, 'success').user as User;
  }

  const requestCount = () =>
    [emulator.salesloft, emulator.salesos, emulator.salesforce]
      .map(({ requests }) => requests.length)
      .reduce((sum, count) => sum + count, 0);

  /** The answer must be refused with this code, before any provider is asked. */
  async function refused(
    strategy: RunnableStrategy,
    callback: string,
    session: Record<string, unknown>,
    code: string,
  ): Promise<void> {
    const before = requestCount();
    const { info, status } = expectVerb(await run(strategy, requestFor(callback, session)), 'fail');
    expect(info).to.include({ code });
    expect(status).to.equal(403);
    expect(requestCount()).to.equal(before);
  }

  for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
    describe(name, () => {
      it(`${TENANTS} tenants log in over one callback route, in mixed order, each as itself`, async () => {
        const app = await startApp(name, create[name]());
        try {
          const keys = Object.keys(rows[name]);
          const browsers = keys.map(() => new Browser());
          const begun = await Promise.all(
            keys.map(async (key, index) => {
              const { headers } = await browsers[index]!.visit(`${app.origin}/auth?tenant=${key}`);
              const url = new URL(headers.get('location') ?? '');
              expect(url.searchParams.get('client_id')).to.equal(rows[name][key]?.clientID);
              return await new Browser().signIn(url.href, PEOPLE[index % PEOPLE.length] ?? '');
            }),
          );
          // 7 and 36 have no common factor: each comes once, far from its neighbours.
          const order = keys.map((_, index) => (index * 7) % TENANTS);
          await Promise.all(
            order.map(async (index) => {
              const path = new URL(begun[index] ?? '');
              const response = await browsers[index]!.visit(
                `${app.origin}${path.pathname}${path.search}`,
              );
              expect(response.status, await response.clone().text()).to.equal(200);
              const { user, info } = (await response.json()) as {
                user: User;
                info: { tenant: string };
              };
              expect(info).to.deep.equal({ tenant: keys[index] });
              expect(user).to.include({
                tenant: keys[index],
                displayName: PEOPLE[index % PEOPLE.length],
              });
              const { claims } = user.tokens;
              if (claims) expect(claims.aud).to.deep.equal(rows[name][keys[index]!]?.clientID);
            }),
          );
        } finally {
          await app.close();
        }
      });

      it('RFC 6749 §6 — clientFor refreshes and revokes as the tenant, in another process too', async () => {
        const store = new MemoryTokenStore();
        const { id, tokens } = await login(create[name](), 'tenant-3');
        const own = await create[name]().clientFor('tenant-3');
        const other = await create[name]().clientFor('tenant-4');
        await userTokens(own, { store, key: id }).save(tokens);
        const person = userTokens(own, { store, key: id });
        const foreign = userTokens(other, { store, key: id });
        // A store that tenants share keeps the person of each apart.
        expect(await rejection(foreign.getTokens())).to.include({
          code: 'reauthorization_required',
        });
        const fresh: TokenSet = await person.refresh();
        expect(fresh.accessToken).not.to.equal(tokens.accessToken);
        expect(await rejection(other.refreshTokenGrant(fresh.refreshToken!))).to.include({
          code: 'invalid_grant',
        });
        await person.revoke();
        expect(await rejection(own.refreshTokenGrant(fresh.refreshToken!))).to.include({
          code: 'invalid_grant',
        });
      });

      it('RFC 6749 §10.12 — the answer of one tenant ends no login of another', async () => {
        const strategy = create[name]();
        const [first, second] = [{}, {}];
        const answers = [
          await begin(strategy, 'tenant-1', first),
          await begin(strategy, 'tenant-2', second),
        ];
        await refused(strategy, answers[0]!, second, 'other_browser');
        await refused(strategy, answers[1]!, first, 'other_browser');
        // The right sessions are as they were.
        const outcome = await run(strategy, requestFor(answers[0]!, first));
        expect(expectVerb(outcome, 'success').user).to.include({ tenant: 'tenant-1' });
      });

      it('RFC 6749 §5.2 — a code of one tenant is refused with the state of another', async () => {
        const strategy = create[name]();
        const session = {};
        const one = new URL(await begin(strategy, 'tenant-1', session));
        const two = new URL(await begin(strategy, 'tenant-2', session));
        two.searchParams.set('code', one.searchParams.get('code') ?? '');
        const { error } = expectVerb(await run(strategy, requestFor(two.href, session)), 'error');
        expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
      });

      it('tenant_mismatch — a resolver that goes by the address of the callback', async () => {
        const byHost: Resolver = async ({ headers }) => {
          const key = headers.host === 'a.example' ? 'tenant-1' : 'tenant-2';
          return await Promise.resolve({ key, ...rows[name][key]! });
        };
        const strategy = create[name](byHost);
        const session = {};
        const atA = requestFor('http://a.example/auth', session);
        const { url } = expectVerb(await run(strategy, atA), 'redirect');
        const { search } = new URL(await new Browser().signIn(url, 'Suri'));
        await refused(
          strategy,
          `http://b.example/auth/callback${search}`,
          session,
          'tenant_mismatch',
        );
      });

      it('tenant_changed, tenant_unknown — a tenant that has another client since, or none', async () => {
        const table: Record<string, Row> = { ...rows[name] };
        const strategy = create[name](byKey(table));
        const session = {};
        const changed = await begin(strategy, 'tenant-1', session);
        const gone = await begin(strategy, 'tenant-2', session);
        table['tenant-1'] = rows[name]['tenant-5']!;
        delete table['tenant-2'];
        await refused(strategy, changed, session, 'tenant_changed');
        await refused(strategy, gone, session, 'tenant_unknown');
        const before = requestCount();
        const start = requestFor(`${START}?tenant=tenant-2`, session);
        const { info, status } = expectVerb(await run(strategy, start), 'fail');
        expect(info).to.include({ code: 'tenant_unknown' });
        expect(status).to.equal(403);
        expect(requestCount()).to.equal(before);
      });

      it('a secret that changes while a person is away counts at the callback', async () => {
        const right = rows[name]['tenant-6']!;
        const table: Record<string, Row> = {
          'tenant-0': rows[name]['tenant-0']!,
          'tenant-6': { ...right, clientSecret: 'the old one' },
        };
        const strategy = create[name](byKey(table));
        const session = {};
        const callback = await begin(strategy, 'tenant-6', session);
        expect(JSON.stringify(session)).to.include('tenant-6').and.not.include('the old one');
        table['tenant-6'] = right;
        const outcome = await run(strategy, requestFor(callback, session));
        expect(expectVerb(outcome, 'success').user).to.include({ tenant: 'tenant-6' });
      });
    });
  }

  it('Salesforce — each tenant has a login host of its own', async () => {
    const orgs = [emulator.salesforce, emulator.salesforce.sandbox, emulator.salesforce.myDomain];
    const origins = orgs.map((org) => org?.origin ?? '');
    const tenant: Resolver = async (req, boundKey) => {
      const found = await byKey(rows.salesforce)(req, boundKey);
      const at = Number(found?.key.replace('tenant-', '')) % 3;
      return found && { ...found, loginURL: origins[at] };
    };
    const strategy = create.salesforce(tenant);
    const session = {};
    const callbacks: string[] = [];
    for (const key of ['tenant-0', 'tenant-1', 'tenant-2']) {
      callbacks.push(await begin(strategy, key, session));
    }
    for (const [index, callback] of [...callbacks.entries()].toReversed()) {
      const counts = () => orgs.map((org) => org?.requests.length);
      const before = counts();
      const outcome = await run(strategy, requestFor(callback, session));
      const { tokens, tenant: key } = expectVerb(outcome, 'success').user as User;
      expect(key).to.equal(`tenant-${index}`);
      expect(tokens.response.instance_url).to.equal(origins[index]);
      const client = await strategy.clientFor(`tenant-${index}`);
      expect((await client.introspectToken(tokens.accessToken)).active).to.equal(true);
      await client.refreshTokenGrant(tokens.refreshToken!, { previous: tokens });
      const after = counts();
      const others = after.filter((count, at) => at !== index && count !== before[at]);
      expect(others).to.deep.equal([]);
    }
  });

  it('Salesforce — a tenant that moves to another login host changes', async () => {
    let loginURL = emulator.salesforce.origin;
    const tenant: Resolver = async (req, boundKey) => {
      const found = await byKey(rows.salesforce)(req, boundKey);
      return found && { ...found, loginURL };
    };
    const strategy = create.salesforce(tenant);
    const session = {};
    const callback = await begin(strategy, 'tenant-0', session);
    loginURL = emulator.salesforce.sandbox?.origin ?? '';
    await refused(strategy, callback, session, 'tenant_changed');
  });
});
