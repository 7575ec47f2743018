/** Watches which connections are opened, kept and closed, from both of their ends. */
import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type * as tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import nock = require('nock');
import { OAuth2Client } from '../../dist/client';
import { addressOf } from '../../dist/wire/address';
import { Connections, noteIdleTime } from '../../dist/wire/connections';
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

  it('is opened to a host that was never asked, beside one that was', async () => {
    const [token, profile] = [await counted(), await counted()];
    const client = make();
    client.open(profile.origin, token.origin);
    await asked(client, token.origin, token.seen);
    expect(profile.seen).to.have.lengthOf(0);
    client.open(profile.origin, token.origin);
    await until(() => profile.seen.length === 1);
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

  it('RFC 9293 §3.8.4 — asks after a second if an idle connection is still there', async () => {
    const probes: [boolean | undefined, number | undefined][] = [];
    const { setKeepAlive } = net.Socket.prototype;
    net.Socket.prototype.setKeepAlive = function (this: net.Socket, enable, delay) {
      probes.push([enable, delay]);
      return setKeepAlive.call(this, enable, delay);
    };
    try {
      const { origin } = await counted();
      await ask(make(), origin);
      expect(probes.at(-1)).to.deep.equal([true, 1000]);
    } finally {
      net.Socket.prototype.setKeepAlive = setKeepAlive;
    }
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
    ['max=1000', 50_000],
    [undefined, 50_000],
  ] as const) {
    it(`RFC 9112 §9.5 — Keep-Alive: ${announced ?? '(nothing)'} — waits idle for ${kept} ms`, async () => {
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

  describe('of a process that was busy, so that its timers are late,', () => {
    const realNow = performance.now.bind(performance);
    afterEach(() => {
      performance.now = realNow;
    });
    const passes = (milliseconds: number) => {
      performance.now = () => realNow() + milliseconds;
    };

    /** A server that announces how long it keeps an idle connection, and keeps it for ever. */
    async function announcing(announced?: string) {
      const server = http.createServer();
      server.keepAliveTimeout = 0;
      const seen: net.Socket[] = [];
      server.on('connection', (socket) => seen.push(socket));
      const origin = await httpServer((_req, res) => {
        if (announced) res.setHeader('Keep-Alive', announced);
        res.setHeader('Connection', 'keep-alive').end('ok');
      }, server);
      return { origin: new URL(origin), seen };
    }
    const post = async (client: HttpClient, url: URL) =>
      await client.send({ method: 'POST', url, headers: {} }, new Deadline(2000));

    for (const [announced, milliseconds, connections] of [
      ['timeout=5', 3000, 1],
      ['timeout=5', 4000, 2],
      ['timeout=5', 7000, 2],
      [undefined, 49_000, 1],
      [undefined, 50_000, 2],
    ] as const) {
      const verb = connections === 1 ? 'carries another' : 'carries no other';
      it(`RFC 9112 §9.5 — Keep-Alive: ${announced ?? '(nothing)'} — ${verb} request after ${milliseconds} ms`, async () => {
        const { origin, seen } = await announcing(announced);
        const client = make();
        await post(client, origin);
        passes(milliseconds);
        expect((await post(client, origin)).body).to.equal('ok');
        expect(seen).to.have.lengthOf(connections);
      });
    }

    it('RFC 9112 §9.5 — counts as idle since the request, for its answer may have waited to be read', async () => {
      const server = http.createServer();
      const seen: net.Socket[] = [];
      server.on('connection', (socket) => seen.push(socket));
      server.keepAliveTimeout = 0;
      const origin = await httpServer((_req, res) => {
        passes(4000);
        res.setHeader('Connection', 'keep-alive').setHeader('Keep-Alive', 'timeout=5').end('ok');
      }, server);
      const client = make();
      const request = { method: 'POST', url: new URL(origin), headers: {} } as const;
      expect((await client.send(request, new Deadline(9000))).body).to.equal('ok');
      await until(() => openSockets() === 0);
    });

    it('carries no request when it was opened in advance a minute ago', async () => {
      const { origin, seen } = await announcing();
      const client = make();
      await asked(client, origin, seen);
      client.open(origin);
      await until(() => seen.length === 1);
      passes(50_000);
      expect((await post(client, origin)).body).to.equal('ok');
      expect(seen).to.have.lengthOf(2);
    });

    it('does not keep another one from being opened in advance', async () => {
      const { origin, seen } = await announcing('timeout=5');
      const client = make();
      await post(client, origin);
      client.open(origin);
      await pause(20);
      expect(seen).to.have.lengthOf(1);
      passes(7000);
      client.open(origin);
      await until(() => seen.length === 2);
      await until(() => openSockets() === 1);
    });

    it('is closed with all that have been idle for longer', async () => {
      const { origin, seen } = await announcing('timeout=5');
      const client = make();
      await Promise.all([post(client, origin), post(client, origin), post(client, origin)]);
      passes(3000);
      await post(client, origin);
      expect(seen).to.have.lengthOf(3);
      passes(6000);
      // The one that was used in between is still good.
      await post(client, origin);
      expect(seen).to.have.lengthOf(3);
      await until(() => openSockets() === 1);
    });

    it('may have ended after a tenth of a second, and is closed a second before its end', async () => {
      let now = 5000;
      performance.now = () => now;
      const { origin } = await announcing('timeout=5');
      const address = addressOf(origin);
      const connections = new Connections();
      expect(connections.mayHaveEnded(address)).to.equal(false);
      const agent = connections.agent(address);
      http.get({ agent, host: origin.hostname, port: origin.port }, (incoming) => {
        noteIdleTime(incoming, now);
        incoming.resume();
      });
      await until(() => Object.keys(agent.freeSockets).length === 1);
      now = 5099;
      expect(connections.mayHaveEnded(address)).to.equal(false);
      now = 5100;
      expect(connections.mayHaveEnded(address)).to.equal(true);
      const destroyed = () => Object.values(agent.freeSockets).map((list) => list?.[0]?.destroyed);
      now = 8999;
      expect(connections.agent(address)).to.equal(agent);
      expect(destroyed()).to.deep.equal([false]);
      now = 9000;
      connections.agent(address);
      expect(destroyed()).to.deep.equal([true]);
      connections.close();
    });

    /** A provider in another thread, which closes its connections while this thread is busy. */
    async function closingProvider() {
      /** Is it to close its connections, and how many has it closed? */
      const state = new Int32Array(new SharedArrayBuffer(8));
      const code = `
        const { parentPort, workerData: state } = require('node:worker_threads');
        const sockets = [];
        const server = require('node:http').createServer((req, res) => res.end(String(sockets.length)));
        server.keepAliveTimeout = 0;
        server.on('connection', (socket) => sockets.push(socket.on('error', () => {})));
        setInterval(() => {
          if (Atomics.exchange(state, 0, 0) === 0) return;
          for (const socket of sockets.filter(({ writable }) => writable)) socket.end(() => {
            Atomics.add(state, 1, 1);
            Atomics.notify(state, 1);
          });
        }, 5);
        server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
      `;
      const worker = new Worker(code, { eval: true, workerData: state });
      const port = await new Promise<number>((resolve) => worker.once('message', resolve));
      /** Does nothing, not even turn the event loop, until the provider has closed its one connection. */
      const beBusyUntilClosed = () => {
        Atomics.store(state, 0, 1);
        expect(Atomics.wait(state, 1, 0, 5000)).not.to.equal('timed-out');
        passes(1000);
      };
      const end = async () => await worker.terminate();
      return { origin: new URL(`http://127.0.0.1:${port}`), beBusyUntilClosed, end };
    }

    for (const [title, agent] of [
      ['a client', undefined],
      ['an application’s agent', new http.Agent({ keepAlive: true })],
    ] as const) {
      for (const phase of ['an immediate', 'a timer', 'an answer'] as const) {
        it(`carries no POST of ${title} when its end was not read yet, after work in ${phase}`, async () => {
          const { origin, beBusyUntilClosed, end } = await closingProvider();
          const { origin: other } = await counted();
          const client = make(agent);
          try {
            await post(client, origin);
            // In some phases of the event loop, the next turn of it reads no end yet.
            if (phase === 'an immediate') await new Promise(setImmediate);
            else if (phase === 'a timer') await pause(1);
            else await ask(make(), other);
            beBusyUntilClosed();
            expect((await post(client, origin)).body).to.equal('2');
          } finally {
            await end();
            agent?.destroy();
          }
        });
      }
    }

    it('carries no POST when it was opened in advance, and its end was not read yet', async () => {
      const { origin, beBusyUntilClosed, end } = await closingProvider();
      const client = make();
      const { own } = await withOwnSockets(async (opened) => {
        try {
          await post(client, origin);
          opened[0]?.destroy();
          await until(() => opened[0]?.closed === true);
          client.open(origin);
          await until(() => opened[1]?.pending === false);
          // The provider accepts it in its own time.
          await pause(50);
          beBusyUntilClosed();
          expect((await post(client, origin)).body).to.equal('3');
        } finally {
          await end();
        }
      });
      expect(own).to.have.lengthOf(3);
    });
  });

  describe('that breaks under a request', () => {
    /** Answers the first request of each connection, and breaks the connection upon the second. */
    async function breaking() {
      const bodies: string[] = [];
      const server = http.createServer();
      const served = new WeakSet<net.Socket>();
      const origin = await httpServer((req, res) => {
        let body = '';
        req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        req.on('end', () => {
          bodies.push(new URLSearchParams(body).get('grant_type') ?? String(req.url));
          if (served.has(req.socket)) {
            req.socket.resetAndDestroy();
            return;
          }
          served.add(req.socket);
          res.setHeader('content-type', 'application/json');
          res.end('{"access_token":"a","token_type":"Bearer","active":true}');
        });
      }, server);
      const client = new OAuth2Client(
        acmeWith({
          endpoints: (options) => ({
            ...acmeDescription.endpoints(options),
            tokenEndpoint: `${origin}/token`,
            revocationEndpoint: `${origin}/revoke`,
            introspectionEndpoint: `${origin}/introspect`,
          }),
        }),
        CREDENTIALS,
      );
      await client.clientCredentialsGrant();
      bodies.length = 0;
      return { client, bodies };
    }

    for (const [name, act] of [
      ['client_credentials', (client: OAuth2Client) => client.clientCredentialsGrant()],
      ['/revoke', (client: OAuth2Client) => client.revokeToken('r')],
      ['/introspect', (client: OAuth2Client) => client.introspectToken('a')],
    ] as const) {
      it(`is replaced once for ${name}, which uses nothing up`, async () => {
        const { client, bodies } = await breaking();
        await act(client);
        expect(bodies).to.deep.equal([name, name]);
        client.close();
      });
    }

    it('RFC 9700 §4.14 — is not replaced for a refresh token, which may have been used up', async () => {
      const { client, bodies } = await breaking();
      const problem = await rejection(client.refreshTokenGrant('r'));
      expect(problem).to.have.property('code', 'connection_failed');
      await pause(20);
      expect(bodies).to.deep.equal(['refresh_token']);
      client.close();
    });
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
      // A busy machine takes longer for a test than the five seconds of a server by default.
      server.keepAliveTimeout = 60_000;
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

    it('is kept idle for 256 hosts at most, and one that is used again counts as the latest', async () => {
      const client = new HttpClient();
      const at = (number: number) => new URL(`http://org-${number}.test`);
      for (let number = 0; number < 256; number += 1) await ask(client, at(number));
      await ask(client, at(0));
      expect(targets).to.have.lengthOf(256);
      expect(seen.filter(({ destroyed }) => destroyed)).to.deep.equal([]);
      await ask(client, at(256));
      await until(() => seen.some(({ destroyed }) => destroyed));
      expect(seen.map(({ destroyed }) => destroyed).indexOf(true)).to.equal(1);
      expect(openSockets()).to.equal(256);
      client.close();
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
