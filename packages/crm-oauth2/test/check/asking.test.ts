/** The requests of the check: their headers, their end, and the clocks that they show. */
import * as http from 'node:http';
import { expect } from 'chai';
import { Asking, MADE_UP_CALLBACK } from '../../dist/check/asking';
import { closeServers, freePort, httpServer, rejection, useRealSockets } from '../support';
import { acmeId } from './support';

const NOW = Date.UTC(2026, 10, 29, 12);

const dated = (date: string, age?: string) =>
  httpServer((_, response) => {
    response.setHeader('date', date);
    if (age !== undefined) response.setHeader('age', age);
    response.end('{}');
  });

describe('requests of the check', () => {
  useRealSockets();

  it('ask — sends a GET that names itself, and gives the answer', async () => {
    const seen: http.IncomingHttpHeaders[] = [];
    const origin = await httpServer(({ headers, method }, response) => {
      seen.push({ ...headers, method });
      response.writeHead(404).end('nothing');
    });
    const asking = new Asking(acmeId(), 1000, Date.now);
    const { status, body } = await asking.ask('token', new URL(origin));
    asking.close();
    expect({ status, body }).to.deep.equal({ status: 404, body: 'nothing' });
    expect(seen[0]).to.include({
      method: 'GET',
      accept: 'application/json',
      'user-agent': 'crm-oauth2',
    });
  });

  it('ask — fails with the code, the stage, the host and the remedy', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    const asking = new Asking(acmeId(), 1000, Date.now);
    const error = await rejection(asking.ask('token', new URL(origin)));
    expect(error).to.include({
      code: 'connection_refused',
      stage: 'token',
      host: new URL(origin).host,
    });
    expect(error.hint).to.be.a('string');
  });

  it('ask — ends after the time', async () => {
    const origin = await httpServer(() => undefined);
    const asking = new Asking(acmeId(), 50, Date.now);
    expect(await rejection(asking.ask('token', new URL(origin)))).to.include({ code: 'timeout' });
  });

  it('RFC 9110 §6.6.1 — notes the clock of each answer', async () => {
    const origin = await dated(new Date(NOW + 600_000).toUTCString());
    const asking = new Asking(acmeId(), 1000, () => NOW);
    await asking.ask('token', new URL(origin));
    asking.close();
    expect(asking.clocks).to.deep.equal([{ host: new URL(origin).host, aheadMs: 600_000 }]);
  });

  it('RFC 9111 §5.1 — counts the age of a cached answer', async () => {
    const origin = await dated(new Date(NOW - 300_000).toUTCString(), '300');
    const asking = new Asking(acmeId(), 1000, () => NOW);
    await asking.ask('token', new URL(origin));
    asking.close();
    expect(asking.clocks[0]?.aheadMs).to.equal(0);
  });

  for (const [date, age] of [
    ['yesterday', undefined],
    [new Date(NOW).toUTCString(), 'old'],
  ] as const) {
    it(`RFC 9110 §6.6.1 — ignores the date "${date}" of age ${age}`, async () => {
      const origin = await dated(date, age);
      const asking = new Asking(acmeId(), 1000, () => NOW);
      await asking.ask('token', new URL(origin));
      asking.close();
      expect(asking.clocks).to.deep.equal([]);
    });
  }

  it('useAgent — sends later requests through it', async () => {
    const origin = await httpServer((_, response) => response.end('through'));
    const agent = new http.Agent();
    const asking = new Asking(acmeId(), 1000, Date.now);
    expect(asking.agent).to.equal(undefined);
    asking.useAgent(agent);
    expect(asking.agent).to.equal(agent);
    const used: string[] = [];
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      used.push(String(options.host));
      return create(options, callback);
    };
    await asking.ask('token', new URL(origin));
    expect(used).to.deep.equal(['127.0.0.1']);
    agent.destroy();
    await closeServers();
  });

  it('RFC 2606 §2 — the made-up callback can belong to no one', () => {
    expect(new URL(MADE_UP_CALLBACK).hostname).to.match(/\.invalid$/);
  });
});
