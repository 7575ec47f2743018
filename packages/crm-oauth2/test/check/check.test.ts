/** The whole check of a set-up: its order, and what is left out after a failure. */
import * as http from 'node:http';
import { expect } from 'chai';
import { checkSetUp } from '../../dist/check/check';
import type { Environment } from '../../dist/check/variables';
import { SECRET, freePort, useRealSockets } from '../support';
import { acmeId, environmentOf, startAcme } from './support';
import type { Answers } from './support';

interface Case {
  changes?: Environment;
  answers?: Answers;
  now?: () => number;
  issuer?: string;
}

async function check({ changes, answers, now = Date.now, issuer }: Case = {}) {
  const acme = await startAcme(answers);
  const { findings, agent } = await checkSetUp({
    provider: acmeId({
      hints: { invalid_client: 'It is wrong. Compare `clientID` with the app.' },
    }),
    prefix: 'ACME',
    environment: environmentOf(issuer ?? acme.issuer, changes),
    isPublic: false,
    timeoutMs: 1000,
    now,
  });
  expect(JSON.stringify(findings)).to.not.contain(SECRET);
  return {
    agent,
    findings,
    parts: findings.map(({ part, verdict }) => `${part} ${verdict}`),
    ...acme,
  };
}

const RIGHT = [
  'variables right',
  'callback right',
  'reachable right',
  'clock right',
  'discovery right',
  'keys right',
  'authorization right',
  'client right',
];

describe('check of a set-up', () => {
  useRealSockets();

  it('a right one — is right in each part, in order', async () => {
    const { parts, asked, agent } = await check();
    expect(agent).to.equal(undefined);
    expect(parts).to.deep.equal(RIGHT);
    expect(asked.length).to.be.below(10);
  });

  it('a provider behind a proxy — is asked through it, in every part', async () => {
    const { globalAgent } = http;
    const options = Reflect.get(globalAgent, 'options') as { proxyEnv?: object };
    const create = globalAgent.createConnection;
    const closed = `http://127.0.0.1:${await freePort()}`;
    const { issuer } = await startAcme({
      '/.well-known/openid-configuration': () => ({
        body: {
          issuer: closed,
          authorization_endpoint: `${closed}/authorize`,
          token_endpoint: `${closed}/token`,
        },
      }),
    });
    options.proxyEnv = {};
    globalAgent.createConnection = (server, callback) =>
      create.call(globalAgent, { ...server, port: Number(new URL(issuer).port) }, callback);
    try {
      const { parts, agent } = await check({ issuer: closed });
      expect(parts).to.deep.equal(RIGHT.toSpliced(3, 0, 'reachable note'));
      expect(agent).to.equal(globalAgent);
    } finally {
      delete options.proxyEnv;
      globalAgent.createConnection = create;
      globalAgent.destroy();
    }
  });

  it('a wrong id — is told once', async () => {
    const { findings } = await check({
      changes: { ACME_CLIENT_ID: 'client-2' },
      answers: {
        '/authorize': () => ({ status: 400, body: 'unknown client' }),
      },
    });
    const wrongs = findings.filter(({ verdict }) => verdict === 'wrong');
    expect(wrongs.map(({ says }) => says)).to.deep.equal(['Acme does not know the client id.']);
    expect(wrongs[0]?.mend).to.equal('Compare ACME_CLIENT_ID (`clientID`) with the app.');
  });

  it('a wrong secret — is told from a wrong id by the page of the login', async () => {
    const { findings } = await check({ changes: { ACME_CLIENT_SECRET: 'another-secret' } });
    expect(findings.at(-1)?.says).to.equal(
      'Acme knows the client id, and the client secret is wrong.',
    );
  });

  it('one page for every refusal — is explained by the token endpoint', async () => {
    const answers = { '/authorize': () => ({ status: 400, body: 'no' }) };
    const { findings } = await check({ answers });
    expect(findings.slice(-2).map(({ says }) => says)).to.deep.equal([
      'The callback URL https://app.test/auth/acme/callback is not registered.',
      'Acme accepts the client id and the client secret.',
    ]);
    const other = await check({ answers, changes: { ACME_CLIENT_SECRET: 'another-secret' } });
    expect(other.findings.at(-2)?.says).to.contain('It does not say which.');
  });

  it('a clock that is off — is wrong', async () => {
    const { parts } = await check({ now: () => Date.now() - 600_000 });
    expect(parts).to.deep.equal(RIGHT.map((part) => part.replace('clock right', 'clock wrong')));
  });

  it('a variable that is missing — leaves the client out', async () => {
    const { parts, findings, asked } = await check({ changes: { ACME_CLIENT_SECRET: '' } });
    expect(parts).to.deep.equal(['variables wrong', ...RIGHT.slice(1, 6), 'client unknown']);
    expect(findings.at(-1)?.says).to.equal(
      'The client id and the client secret cannot be checked: a variable is missing.',
    );
    expect(asked.some(({ path }) => path === '/token')).to.equal(false);
  });

  it('an option that is wrong — leaves the provider out', async () => {
    const { parts, asked } = await check({ issuer: 'http://acme.test' });
    expect(parts).to.deep.equal([
      'variables right',
      'variables wrong',
      'callback right',
      'reachable unknown',
    ]);
    expect(asked).to.deep.equal([]);
  });

  it('a callback of a wrong form — is not sent', async () => {
    const { parts, asked } = await check({ changes: { ACME_CALLBACK_URL: 'http://app.test/cb' } });
    expect(parts).to.include.members(['callback wrong', 'client right']);
    expect(parts).to.not.include('authorization right');
    expect(
      asked.some(({ query, fields }) =>
        `${query.redirect_uri}${fields.redirect_uri}`.includes('app.test'),
      ),
    ).to.equal(false);
  });

  it('a host that cannot be asked — leaves the rest out', async () => {
    const { parts, findings } = await check({ issuer: `http://127.0.0.1:${await freePort()}` });
    expect(parts).to.deep.equal([
      'variables right',
      'callback right',
      'reachable wrong',
      'clock unknown',
      'client unknown',
    ]);
    expect(findings.at(-1)?.says).to.contain('the token endpoint cannot be asked');
    expect(findings.at(2)?.mend).to.contain('ACME_ISSUER names this host.');
  });
});
