import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import type * as net from 'node:net';
import nock = require('nock');
import { OAuth2Client } from '../dist/client';
import { Deadline } from '../dist/deadline';
import { HttpClient } from '../dist/http';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from './fixtures/tls';
import {
  CREDENTIALS,
  acme,
  closeServers,
  httpServer,
  openSockets,
  pause,
  portOf,
  rejection,
  useRealSockets,
} from './support';

/** A server, and how many connections it has seen. */
async function counted(options: http.ServerOptions & { keepAliveTimeout?: number } = {}) {
  const server = http.createServer(options);
  const seen: net.Socket[] = [];
  server.on('connection', (socket) => seen.push(socket));
  const origin = new URL(await httpServer((_req, res) => res.end('ok'), server));
  return { origin, seen };
}

const ask = async (client: HttpClient, url: URL) =>
  await client.send({ method: 'GET', url, headers: {} }, new Deadline(2000));

/** Waits for something that other sockets bring about, for a second at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round += 1) await pause(5);
  expect(holds()).to.equal(true);
}

/** Asked once, so that it is known; then nothing is left open. */
async function asked(client: HttpClient, origin: URL, seen: net.Socket[]): Promise<void> {
  await ask(client, origin);
  for (const socket of seen) socket.destroy();
  await until(() => openSockets() === 0);
  // The client's end is told in a turn of its own.
  await pause(20);
  seen.length = 0;
}

describe('connections', () => {
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

  it('RFC 9112 §9.3 — is opened ahead once, and carries the next request', async () => {
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

  it('fails nobody when nothing answers there, and the next request says why', async () => {
    const { origin, seen } = await counted();
    const client = make();
    await asked(client, origin, seen);
    await closeServers();
    client.open(origin);
    await pause(20);
    expect(await rejection(ask(client, origin))).to.have.property('code', 'connection_refused');
  });

  it('RFC 6749 §1.6 — is held to the same certificate', async () => {
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

  it('RFC 9112 §9.5 — is given up before the provider closes it, as it has announced', async () => {
    const server = http.createServer();
    server.keepAliveTimeout = 3000;
    const origin = new URL(await httpServer((_req, res) => res.end('ok'), server));
    const agents: http.Agent[] = [];
    const client = make();
    const watched = { method: 'GET' as const, url: origin, headers: {} };
    const { createConnection } = http.Agent.prototype;
    let idle: net.Socket | undefined;
    http.Agent.prototype.createConnection = function (this: http.Agent, ...rest) {
      agents.push(this);
      return (idle = createConnection.apply(this, rest) as net.Socket);
    };
    try {
      await client.send(watched, new Deadline(2000));
    } finally {
      http.Agent.prototype.createConnection = createConnection;
    }
    await until(() => idle?.timeout === 2000);
  });

  it('is one per host of a login, however many are started', async () => {
    const token = await counted();
    const profile = await counted();
    const client = new OAuth2Client(acme, {
      ...CREDENTIALS,
      tokenURL: `${token.origin.origin}/token`,
      userInfoURL: `${profile.origin.origin}/me`,
    });
    // Both are asked, neither is understood.
    const tokens = { accessToken: 'x', tokenType: 'Bearer', response: {} };
    await rejection(client.clientCredentialsGrant());
    await rejection(client.fetchProfile(tokens));
    for (const socket of [...token.seen, ...profile.seen]) socket.destroy();
    await until(() => openSockets() === 0);
    await pause(20);
    for (let start = 0; start < 10_000; start += 1) client.prepare(client.createLoginAttempt());
    await until(() => token.seen.length === 2 && profile.seen.length === 2);
    client.close();
    await until(() => openSockets() === 0);
    expect([token.seen.length, profile.seen.length]).to.deep.equal([2, 2]);
  });
});
