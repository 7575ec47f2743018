/** Each host of the provider: it answers, is down, or cannot be asked. */
import dns = require('node:dns');
import * as http from 'node:http';
import * as https from 'node:https';
import { expect } from 'chai';
import { checkReachable } from '../../dist/check/reachable';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../fixtures/tls';
import { freePort, httpServer, portOf, useRealSockets } from '../support';
import { acmeId, askingOf, environmentOf, setUpOf } from './support';
import type { Environment } from '../../dist/check/variables';

async function check(issuer: string, provider = acmeId(), changes: Environment = {}) {
  const environment = environmentOf(issuer, changes);
  const setUp = setUpOf(issuer, changes, provider);
  const asking = askingOf(setUp);
  const { endpoints } = setUp.settings!.context;
  const found = await checkReachable(setUp, endpoints, asking, environment);
  asking.close();
  return { ...found, asking };
}

describe('hosts of a set-up', () => {
  useRealSockets();

  it('a host that answers — is right, whatever it answers', async () => {
    const paths: string[] = [];
    const origin = await httpServer(({ url = '' }, response) => {
      paths.push(url);
      response.writeHead(405).end();
    });
    const { findings, origins } = await check(origin);
    const { host } = new URL(origin);
    expect(findings).to.deep.equal([
      { part: 'reachable', verdict: 'right', says: `${host} answers.`, host },
    ]);
    expect([...origins]).to.deep.equal([origin]);
    // One request for each origin.
    expect(paths).to.deep.equal(['/keys']);
  });

  it('several hosts — are asked one by one', async () => {
    const [one, two] = await Promise.all([
      httpServer((_, response) => response.end()),
      httpServer((_, response) => response.writeHead(503).end()),
    ]);
    const endpoints = () => ({
      authorizationEndpoint: `${one}/authorize`,
      tokenEndpoint: `${one}/token`,
      revocationEndpoint: `${two}/revoke`,
    });
    const { findings, origins } = await check(one, acmeId({ endpoints, idToken: 'none' }));
    expect(findings.map(({ verdict }) => verdict)).to.deep.equal(['right', 'wrong']);
    expect([...origins]).to.deep.equal([one]);
  });

  it('a host with an answer that is not read — answers', async () => {
    const origin = await httpServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    });
    const { findings, origins } = await check(origin);
    expect(findings.map(({ verdict }) => verdict)).to.deep.equal(['right']);
    expect(origins.size).to.equal(1);
  });

  for (const status of [502, 503, 504]) {
    it(`RFC 9110 §15.6 — a host that answers ${status} is down`, async () => {
      const origin = await httpServer((_, response) => response.writeHead(status).end());
      const { findings, origins } = await check(origin);
      const { host } = new URL(origin);
      expect(findings[0]).to.include({
        verdict: 'wrong',
        says: `${host} is down: it answers ${status}.`,
        code: 'provider_unavailable',
        host,
      });
      expect(findings[0]?.mend).to.match(/^Try again later\./);
      expect(origins.size).to.equal(0);
    });
  }

  it('a host that refuses — is wrong, and its variable is named', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    const { findings, origins } = await check(origin);
    const { host } = new URL(origin);
    expect(findings).to.have.lengthOf(1);
    expect(findings[0]).to.include({
      verdict: 'wrong',
      says: `${host} cannot be asked: the connection was refused.`,
      code: 'connection_refused',
    });
    expect(findings[0]?.mend).to.match(/ACME_ISSUER names this host\.$/);
    expect(origins.size).to.equal(0);
  });

  it('a host without a name — is wrong', async () => {
    const { lookup } = dns;
    // Loopback only: no resolver is asked.
    const unknown = (...parameters: unknown[]) => {
      const answer = parameters.at(-1) as (error: Error) => void;
      answer(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }));
    };
    dns.lookup = unknown as typeof lookup;
    try {
      const { findings } = await check('https://id.acme.invalid');
      expect(findings[0]).to.include({
        verdict: 'wrong',
        says: 'id.acme.invalid cannot be asked: the host name could not be resolved.',
        code: 'dns_error',
      });
    } finally {
      dns.lookup = lookup;
    }
  });

  it('a proxy that Node does not use — is named in the remedy', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    const proxied = { HTTPS_PROXY: 'http://user:pass-word@proxy.test' };
    const { findings } = await check(origin, acmeId(), proxied);
    expect(findings[0]?.mend).to.contain('HTTPS_PROXY names a proxy');
    expect(JSON.stringify(findings)).to.not.contain('pass-word');
  });

  it('TLS — is right with a trusted certificate, and wrong with another', async () => {
    const tls = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
    const server = https.createServer(tls, (_, response) => response.end());
    const origin = `https://localhost:${await portOf(server)}`;
    const { findings } = await check(origin, acmeId(), { HTTPS_PROXY: 'http://proxy.test' });
    const { host } = new URL(origin);
    expect(findings[0]).to.include({ verdict: 'wrong', code: 'tls_error', host });
    expect(findings[0]?.mend).to.contain('`ca`').and.not.contain('HTTPS_PROXY');
    const agent = new https.Agent({ ca: TEST_ONLY_CERTIFICATE });
    const setUp = setUpOf(origin);
    const asking = askingOf(setUp);
    asking.useAgent(agent);
    const trusted = await checkReachable(setUp, setUp.settings!.context.endpoints, asking, {});
    agent.destroy();
    expect(trusted.findings[0]).to.include({ verdict: 'right', says: `${host} answers over TLS.` });
  });

  describe('a proxy that Node uses', () => {
    const agent = http.globalAgent;
    const options = Reflect.get(agent, 'options') as { proxyEnv?: object };
    const create = agent.createConnection;
    afterEach(() => {
      delete options.proxyEnv;
      agent.createConnection = create;
      agent.destroy();
    });

    /** Every connection of the agent leads to one server, as through a proxy. */
    const lead = (origin: string) => {
      options.proxyEnv = {};
      agent.createConnection = (server, callback) =>
        create.call(
          agent,
          { ...server, host: '127.0.0.1', port: Number(new URL(origin).port) },
          callback,
        );
    };

    it('the host behind it — is right, and the strategy needs the agent', async () => {
      const closed = `http://127.0.0.1:${await freePort()}`;
      lead(await httpServer((_, response) => response.end()));
      const { findings, origins, asking } = await check(closed);
      const { host } = new URL(closed);
      expect(findings.map(({ verdict, says }) => [verdict, says])).to.deep.equal([
        ['right', `${host} answers.`],
        ['note', `${host} is reached through the proxy only.`],
      ]);
      expect(findings[1]?.mend).to.contain("agent: require('node:https').globalAgent");
      expect([...origins]).to.deep.equal([closed]);
      expect(asking.agent).to.equal(agent);
    });

    it('a host that it does not reach either — is wrong', async () => {
      const closed = `http://127.0.0.1:${await freePort()}`;
      lead(closed);
      const { findings, origins } = await check(closed);
      expect(findings.map(({ verdict }) => verdict)).to.deep.equal(['wrong']);
      expect(origins.size).to.equal(0);
    });
  });
});
