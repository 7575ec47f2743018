/** Puts foreign keys on Object.prototype, and watches where requests go. */
import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import type * as net from 'node:net';
import * as tls from 'node:tls';
import { Deadline } from '../../dist/wire/deadline';
import { HttpClient } from '../../dist/wire/http';
import { ownOptions } from '../../dist/wire/own-options';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../fixtures/tls';
import { httpServer, openSockets, pause, portOf, rejection, useRealSockets } from '../support';

/** Runs with a key that every object without it inherits, and removes the key. */
async function polluted<T>(name: string, value: unknown, act: () => T | Promise<T>): Promise<T> {
  Reflect.set(Object.prototype, name, value);
  try {
    return await act();
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round += 1) await pause(5);
  expect(holds()).to.equal(true);
}

describe('while Object.prototype is polluted', () => {
  useRealSockets();
  let client = new HttpClient();
  beforeEach(() => {
    client = new HttpClient();
  });
  afterEach(() => client.close());

  async function post(url: string) {
    const body = 'code=topsecret';
    const headers = { 'content-length': String(body.length) };
    const request = { method: 'POST', url: new URL(url), headers, body } as const;
    return await client.send(request, new Deadline(2000));
  }

  const elsewhere = (): net.Socket => {
    throw new Error('the connection leads elsewhere');
  };
  const another = new http.Agent();
  another.createConnection = elsewhere;
  const cases = Object.entries({
    agent: another,
    _defaultAgent: another,
    createConnection: elsewhere,
    host: '127.0.0.9',
    hostname: '127.0.0.9',
    port: 1,
    defaultPort: 1,
    socketPath: '/nowhere.sock',
    path: '/nowhere.sock',
    localAddress: '127.0.0.9',
    lookup: elsewhere,
    fd: 999,
    protocol: 'https:',
    method: 'GET',
    headers: { host: 'evil.test' },
    auth: 'evil:evil',
    setHost: false,
    insecureHTTPParser: true,
  });

  for (const [name, value] of cases) {
    it(`with ${name} — a request goes where it belongs`, async () => {
      const origin = await httpServer((req, res) => {
        let body = '';
        req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        // The list of the headers, because their object inherits too.
        const { rawHeaders: list } = req;
        const host = list[list.findIndex((header) => header.toLowerCase() === 'host') + 1];
        req.on('end', () => res.end(`${req.method} ${host} ${req.url} ${body}`));
      });
      // The second one goes over the connection of the first.
      for (const path of ['/token', '/again']) {
        const answer = await polluted(name, value, async () => await post(origin + path));
        expect(answer.body).to.equal(`POST ${new URL(origin).host} ${path} code=topsecret`);
      }
      expect(openSockets()).to.equal(1);
    });

    it(`with ${name} — a connection that is opened in advance leads where it belongs`, async () => {
      const server = http.createServer();
      const seen: net.Socket[] = [];
      server.on('connection', (socket) => seen.push(socket));
      const origin = await httpServer((_req, res) => res.end('ok'), server);
      await post(origin);
      seen[0]?.destroy();
      await until(() => openSockets() === 0);
      // The client's end notices in a later turn of the event loop.
      await pause(20);
      await polluted(name, value, async () => {
        client.open(new URL(origin));
        await until(() => seen.length === 2);
      });
      expect((await post(origin)).body).to.equal('ok');
      expect(seen).to.have.lengthOf(2);
    });
  }

  for (const [name, value] of Object.entries({
    ca: TEST_ONLY_CERTIFICATE,
    secureContext: tls.createSecureContext({ ca: TEST_ONLY_CERTIFICATE }),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minDHSize: 1,
    servername: 'evil.test',
    session: Buffer.from('x'),
    ciphers: 'NULL',
  })) {
    it(`RFC 6749 §1.6 — with ${name} — a certificate is checked as ever`, async () => {
      let requests = 0;
      const options = { cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY };
      const server = https.createServer(options, (_req, res) => {
        requests += 1;
        res.end();
      });
      server.on('tlsClientError', () => {});
      const url = `https://localhost:${await portOf(server)}`;
      const problem = await polluted(name, value, async () => await rejection(post(url)));
      expect(problem).to.include({
        code: 'tls_error',
        message: 'the TLS connection failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
      });
      expect(requests).to.equal(0);
    });
  }

  it('keeps options that are there, and adds the names of the others', async () => {
    const options = { host: 'crm.test', port: undefined };
    expect(Object.keys(ownOptions(options))).to.deep.equal(['host', 'port']);
    const own = await polluted('host', 'evil.test', () =>
      polluted('ca', 'evil', () => Object.entries(ownOptions(options))),
    );
    expect(Object.fromEntries(own)).to.deep.equal({ ...options, ca: undefined });
  });
});
