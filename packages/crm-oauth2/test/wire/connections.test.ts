/** Watches which connections are opened, kept and closed, from both of their ends. */
import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type * as tls from 'node:tls';
import nock = require('nock');
import { OAuth2Client } from '../../dist/client';
import { Deadline } from '../../dist/wire/deadline';
import { HttpClient } from '../../dist/wire/http';
import { text } from '../../dist/values/json';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../fixtures/tls';
import {
  CALLBACK,
  CREDENTIALS,
  acme,
  acmeDescription,
  acmeWith,
  closeServers,
  httpServer,
  openSockets,
  pause,
  portOf,
  rejection,
  useRealSockets,
} from '../support';

/** A server, and the connections it has seen. */
async function counted(options: http.ServerOptions & { keepAliveTimeout?: number } = {}) {
  const server = http.createServer(options);
  const seen: net.Socket[] = [];
  server.on('connection', (socket) => seen.push(socket));
  const origin = new URL(await httpServer((_req, res) => res.end('ok'), server));
  return { origin, seen };
}

const ask = async (client: HttpClient, url: URL) =>
  await client.send({ method: 'GET', url, headers: {} }, new Deadline(2000));

/** Waits until the condition holds, for a second at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round += 1) await pause(5);
  expect(holds()).to.equal(true);
}

/** Sends one request, so that the host counts as asked before, and closes all connections. */
async function asked(client: HttpClient, origin: URL, seen: net.Socket[]): Promise<void> {
  await ask(client, origin);
  for (const socket of seen) socket.destroy();
  await until(() => openSockets() === 0);
  // The client's end notices in a later turn of the event loop.
  await pause(20);
  seen.length = 0;
}

/** Collects the client's ends of the connections that new agents open meanwhile. */
async function withOwnSockets(act: (own: net.Socket[]) => Promise<unknown>) {
  const { createConnection } = http.Agent.prototype;
  const own: net.Socket[] = [];
  http.Agent.prototype.createConnection = function (this: http.Agent, ...rest) {
    const socket = createConnection.apply(this, rest) as net.Socket;
    own.push(socket);
    return socket;
  };
  try {
    await act(own);
  } finally {
    http.Agent.prototype.createConnection = createConnection;
  }
  return { own };
}

describe('a connection', () => {
  useRealSockets();
  const clients: HttpClient[] = [];
  const make = (agent?: http.Agent) => {
    const client = new HttpClient(agent);
    clients.push(client);
    return client;
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  it('RFC 9112 §9.3 — is opened once in advance, and carries the next request', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    for (let start = 0; start < 1000; start += 1) client.open(origin);
    await until(() => seen.length === 1);
    expect((await ask(client, origin)).body).to.equal('ok');
    expect((await ask(client, origin)).body).to.equal('ok');
    client.open(origin);
    await pause(20);
    expect(seen).to.have.lengthOf(1);
  });

  it('is not opened to a host that was never asked', async () => {
    const { origin, seen } = await counted();
    make().open(origin);
    await pause(20);
    expect(seen).to.have.lengthOf(0);
  });

  it('is not opened to a host that only a mock has answered for', async () => {
    const { origin, seen } = await counted();
    const client = make();
    nock.activate();
    try {
      nock(origin.origin).get('/').reply(200, 'mocked');
      expect((await ask(client, origin)).body).to.equal('mocked');
    } finally {
      nock.cleanAll();
      nock.restore();
    }
    client.open(origin);
    await pause(20);
    expect(seen).to.have.lengthOf(0);
  });

  it('is not opened while one is busy', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    const answer = ask(client, origin);
    client.open(origin);
    await answer;
    await pause(20);
    expect(seen).to.have.lengthOf(1);
  });

  it('is opened again when the provider has closed it', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    client.open(origin);
    await until(() => seen.length === 1);
    seen[0]?.destroy();
    await until(() => openSockets() === 0);
    await pause(20);
    client.open(origin);
    await until(() => seen.length === 2);
    expect((await ask(client, origin)).body).to.equal('ok');
    expect(seen).to.have.lengthOf(2);
  });

  it('is left alone when it cannot be opened, and the next request reports the error', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    await closeServers();
    client.open(origin);
    await pause(20);
    expect(await rejection(ask(client, origin))).to.have.property('code', 'connection_refused');
  });

  it('RFC 6749 §1.6 — must show the same certificate', async () => {
    const server = https.createServer({ cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY });
    let connections = 0;
    server.on('connection', () => (connections += 1)).on('tlsClientError', () => {});
    const url = new URL(`https://localhost:${await portOf(server)}`);
    const client = make();
    expect(await rejection(ask(client, url))).to.have.property('code', 'tls_error');
    await until(() => openSockets() === 0);
    client.open(url);
    await until(() => connections === 2 && openSockets() === 0);
    expect(await rejection(ask(client, url))).to.have.property('code', 'tls_error');
  });

  it('is left to the agent of an application', async () => {
    const agent = new http.Agent({ keepAlive: true });
    const { origin, seen } = await counted();
    const client = make(agent);
    await asked(client, origin, seen);
    client.open(origin);
    await pause(20);
    expect(seen).to.have.lengthOf(0);
    agent.destroy();
  });

  it('is closed with the client, used or not', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    client.open(origin);
    await until(() => seen.length === 1);
    client.close();
    await until(() => openSockets() === 0);
  });

  it('is closed with the client when it is idle', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await ask(client, origin);
    await pause(20);
    expect(openSockets()).to.equal(1);
    client.close();
    await until(() => openSockets() === 0);
    // The client may still be used, and keeps connections again.
    expect(await ask(client, origin)).to.include({ status: 200 });
    expect(await ask(client, origin)).to.include({ status: 200 });
    expect(seen).to.have.lengthOf(2);
  });

  it('is not opened by a closed client, until the host is asked again', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    client.close();
    client.open(origin);
    await pause(20);
    expect(seen).to.have.lengthOf(0);
    await asked(client, origin, seen);
    client.open(origin);
    await until(() => seen.length === 1);
  });

  it('RFC 9700 §4.14 — is closed after its answer when the client is closed meanwhile', async () => {
    let answer: (() => void) | undefined;
    const origin = new URL(
      await httpServer((_req, res) => {
        answer = () => res.end('the only copy of a refresh token');
      }),
    );
    const client = make();
    const sent = client.send({ method: 'POST', url: origin, headers: {} }, new Deadline(2000));
    await until(() => answer !== undefined);
    client.close();
    await pause(20);
    answer?.();
    expect(await sent).to.include({ status: 200, body: 'the only copy of a refresh token' });
    await until(() => openSockets() === 0);
  });

  it('RFC 9110 §15.5.9 — carries no request once the server has sent something unasked', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    client.open(origin);
    await until(() => seen.length === 1);
    seen[0]?.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    await pause(50);
    const sent = { method: 'POST' as const, url: origin, headers: {} };
    expect(await client.send(sent, new Deadline(2000))).to.include({ status: 200, body: 'ok' });
    expect(seen).to.have.lengthOf(2);
  });

  it('RFC 9110 §9.2.2 — is replaced for a GET when the provider closes it as the request is written', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    client.open(origin);
    await until(() => seen.length === 1);
    seen[0]?.resetAndDestroy();
    expect((await ask(client, origin)).body).to.equal('ok');
  });

  for (const [announced, kept] of [
    ['timeout=3', 2000],
    ['timeout=65, max=1000', 64_000],
    ['max=5, timeout=3', 2000],
    ['max=1000', 0],
    [undefined, 0],
  ] as const) {
    const upTo = kept === 0 ? 'without end' : `for ${kept} ms`;
    it(`RFC 9112 §9.5 — Keep-Alive: ${announced ?? '(nothing)'} — waits idle ${upTo}`, async () => {
      const server = http.createServer();
      server.keepAliveTimeout = 0;
      const origin = await httpServer((_req, res) => {
        if (announced) res.setHeader('Keep-Alive', announced);
        res.setHeader('Connection', 'keep-alive').end('ok');
      }, server);
      const client = make();
      const { own } = await withOwnSockets(() => ask(client, new URL(origin)));
      await pause(20);
      expect(own.map(({ timeout = 0, destroyed }) => ({ timeout, destroyed }))).to.deep.equal([
        { timeout: kept, destroyed: false },
      ]);
    });
  }

  it('RFC 9112 §9.5 — is not kept when the provider is about to close it', async () => {
    const server = http.createServer();
    server.keepAliveTimeout = 0;
    const origin = await httpServer((_req, res) => {
      res.setHeader('Connection', 'keep-alive').setHeader('Keep-Alive', 'timeout=1').end('ok');
    }, server);
    const client = make();
    await ask(client, new URL(origin));
    await until(() => openSockets() === 0);
    expect((await ask(client, new URL(origin))).body).to.equal('ok');
  });

  it('carries no request once it is closing', async () => {
    const { origin, seen } = await counted();
    const client = make();
    const { own } = await withOwnSockets(async () => {
      await asked(client, origin, seen);
      client.open(origin);
    });
    await until(() => seen.length === 1);
    own[1]?.end();
    const sent = { method: 'POST' as const, url: origin, headers: {} };
    expect(await client.send(sent, new Deadline(2000))).to.include({ status: 200, body: 'ok' });
    expect(seen).to.have.lengthOf(2);
  });

  it('RFC 8446 §2.2 — resumes the TLS session of an earlier one', async () => {
    const server = https.createServer({ cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY });
    const resumed: boolean[] = [];
    const seen: tls.TLSSocket[] = [];
    server.on('secureConnection', (socket: tls.TLSSocket) => {
      seen.push(socket);
      resumed.push(socket.isSessionReused());
    });
    server.on('request', (_req, res: http.ServerResponse) => res.end('ok'));
    const url = new URL(`https://localhost:${await portOf(server)}`);
    const client = make();
    const { createConnection } = https.Agent.prototype;
    https.Agent.prototype.createConnection = function (this: https.Agent, options, callback) {
      // Every connection trusts this one root, whether a request opens it or it is opened in advance.
      return createConnection.call(this, { ...options, ca: TEST_ONLY_CERTIFICATE }, callback);
    };
    try {
      await asked(client, url, seen);
      client.open(url);
      await until(() => seen.length === 1);
      expect((await ask(client, url)).body).to.equal('ok');
    } finally {
      https.Agent.prototype.createConnection = createConnection;
    }
    expect(resumed).to.deep.equal([false, true]);
  });

  it('stays open while an answer is awaited, however long that takes', async () => {
    const server = http.createServer();
    const origin = new URL(await httpServer(() => {}, server));
    const client = make();
    server.once('request', (_req, res) => res.end('ok'));
    const { own } = await withOwnSockets(async (opened) => {
      await ask(client, origin);
      opened[0]?.destroy();
      await until(() => openSockets() === 0);
      client.open(origin);
    });
    server.once('request', (_req, res) => {
      own[1]?.emit('timeout');
      res.end('late');
    });
    expect((await ask(client, origin)).body).to.equal('late');
    expect(own).to.have.lengthOf(2);
  });

  it('is not opened while another one is in its handshake', async () => {
    const server = net.createServer();
    const seen: net.Socket[] = [];
    server.on('connection', (socket: net.Socket) => seen.push(socket));
    const url = new URL(`https://127.0.0.1:${await portOf(server)}`);
    const client = make();
    const answer = rejection(ask(client, url));
    client.open(url);
    await until(() => seen.length === 1);
    await pause(20);
    expect(seen).to.have.lengthOf(1);
    for (const socket of seen) socket.destroy();
    expect(await answer).to.have.property('code', 'connection_failed');
  });

  describe('to a host', () => {
    const originals = [http.Agent, https.Agent].map(({ prototype }) => ({
      prototype,
      createConnection: prototype.createConnection,
    }));
    /** The intended targets. All connections lead to one server instead, without TLS. */
    const targets: Pick<https.RequestOptions, 'host' | 'port' | 'servername'>[] = [];
    const tcp: Pick<net.TcpSocketConnectOpts, 'noDelay' | 'keepAlive'>[] = [];
    const seen: net.Socket[] = [];
    beforeEach(async () => {
      targets.length = 0;
      tcp.length = 0;
      seen.length = 0;
      const server = http.createServer();
      server.on('connection', (socket) => seen.push(socket));
      const { port } = new URL(await httpServer((_req, res) => res.end('ok'), server));
      for (const { prototype } of originals) {
        prototype.createConnection = (options: https.RequestOptions & net.TcpSocketConnectOpts) => {
          const { host, port: wanted, servername, noDelay, keepAlive } = options;
          targets.push({ host, port: wanted, servername });
          tcp.push({ noDelay, keepAlive });
          return net.connect(Number(port), '127.0.0.1');
        };
      }
    });
    afterEach(() => {
      for (const { prototype, createConnection } of originals) {
        prototype.createConnection = createConnection;
      }
    });

    const cases: [string, string, number, string][] = [
      ['http://plain.test/x', 'plain.test', 80, 'plain.test'],
      ['http://plain.test:8080/', 'plain.test', 8080, 'plain.test'],
      ['https://crm.test/', 'crm.test', 443, 'crm.test'],
      ['https://crm.test:8443/', 'crm.test', 8443, 'crm.test'],
      ['https://127.0.0.1:8443/', '127.0.0.1', 8443, ''],
      ['https://[::1]/', '::1', 443, ''],
      ['http://[::1]:8080/', '::1', 8080, ''],
    ];
    for (const [href, host, port, servername] of cases) {
      it(`RFC 6066 §3 — ${href} goes where a request goes, and names it alike`, async () => {
        const url = new URL(href);
        const client = make();
        await asked(client, url, seen);
        client.open(url);
        await until(() => seen.length === 1);
        expect(targets).to.have.lengthOf(2);
        expect(targets[1]).to.deep.equal({ host, port, servername });
        expect(targets[0]).to.include({ host, port });
        expect(tcp[1]).to.deep.equal({ noDelay: true, keepAlive: true }).and.deep.equal(tcp[0]);
        expect((await ask(client, url)).body).to.equal('ok');
        expect(targets).to.have.lengthOf(2);
      });
    }

    it('is opened although there is one to another host', async () => {
      const [one, other] = [new URL('http://one.test'), new URL('http://other.test')];
      const client = make();
      await asked(client, one, seen);
      await ask(client, other);
      client.open(one);
      await until(() => seen.length === 2);
      expect(targets.map(({ host }) => host)).to.deep.equal(['one.test', 'other.test', 'one.test']);
    });

    it('is opened to one of the last hundred that were asked, and to no older one', async () => {
      const urls = Array.from({ length: 101 }, (_, at) => new URL(`http://org-${at}.test`));
      const client = make();
      for (const url of urls) await ask(client, url);
      await asked(client, new URL('http://org-100.test'), seen);
      targets.length = 0;
      for (const url of urls.slice(0, 2)) client.open(url);
      await until(() => seen.length === 1);
      expect(targets.map(({ host }) => host)).to.deep.equal(['org-1.test']);
    });
  });

  it('is one per host of a login, however many are started', async () => {
    const token = await counted();
    const profile = await counted();
    const client = new OAuth2Client(acme, {
      ...CREDENTIALS,
      tokenURL: `${token.origin.origin}/token`,
      userInfoURL: `${profile.origin.origin}/me`,
    });
    // Both hosts are asked; the answers are refused.
    const tokens = { accessToken: 'x', tokenType: 'Bearer', response: {} };
    await rejection(client.clientCredentialsGrant());
    await rejection(client.fetchProfile(tokens));
    for (const socket of [...token.seen, ...profile.seen]) socket.destroy();
    await until(() => openSockets() === 0);
    await pause(20);
    const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
    for (let start = 0; start < 10_000; start += 1) client.prepare(attempt);
    await until(() => token.seen.length === 2 && profile.seen.length === 2);
    client.close();
    await until(() => openSockets() === 0);
    expect([token.seen.length, profile.seen.length]).to.deep.equal([2, 2]);
  });

  it('is opened to an organization that was asked twice in a row, and to no other', async () => {
    const token = await counted();
    const one = await counted();
    const other = await counted();
    const provider = acmeWith({
      endpoints: (options) => ({
        ...acmeDescription.endpoints(options),
        tokenEndpoint: `${token.origin.origin}/token`,
        userInfoEndpoint: undefined,
      }),
      profileRequest: ({ response }) => ({ url: text(response.org) ?? '', trusts: () => true }),
    });
    const client = new OAuth2Client(provider, CREDENTIALS);
    /** Tells whether a login that starts now opens a connection to the server. */
    const isOpened = async (at: typeof one) => {
      const all = [...token.seen, ...one.seen, ...other.seen];
      for (const socket of all) socket.destroy();
      await until(() => openSockets() === 0);
      await pause(20);
      const before = at.seen.length;
      client.prepare(client.beginLogin({ redirectUri: CALLBACK }).attempt);
      await pause(30);
      return at.seen.length > before;
    };
    const askProfile = async ({ origin }: typeof one) => {
      const tokens = { accessToken: 'x', tokenType: 'Bearer', response: { org: origin.href } };
      await rejection(client.fetchProfile(tokens));
    };
    await askProfile(one);
    expect(await isOpened(one)).to.equal(false);
    await askProfile(one);
    expect(await isOpened(one)).to.equal(true);
    await askProfile(other);
    expect(await isOpened(other)).to.equal(false);
    expect(await isOpened(one)).to.equal(false);
    client.close();
  });
});
