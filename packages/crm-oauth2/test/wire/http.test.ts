/** Sends requests to real servers on the loopback interface, and breaks their connections. */
import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import type { Writable } from 'node:stream';
import { Deadline } from '../../dist/wire/deadline';
import { Problem } from '../../dist/errors/problem';
import { HttpClient, MAX_RESPONSE_BYTES } from '../../dist/wire/http';
import type { HttpRequest, HttpResponse } from '../../dist/wire/http';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../fixtures/tls';
import {
  freePort,
  httpServer,
  openSockets,
  pause,
  portOf,
  rawServer,
  rejection,
  useRealSockets,
} from '../support';

describe('http', () => {
  useRealSockets();

  const clients: HttpClient[] = [];
  const agents: http.Agent[] = [];
  afterEach(() => {
    for (const made of clients.splice(0)) made.close();
    for (const agent of agents.splice(0)) agent.destroy();
  });

  function client(agent?: http.Agent): HttpClient {
    if (agent) agents.push(agent);
    const made = new HttpClient(agent);
    clients.push(made);
    return made;
  }

  function get(url: string, timeout = 2000, sender = client()): Promise<HttpResponse> {
    const request: HttpRequest = { method: 'GET', url: new URL(url), headers: {} };
    return sender.send(request, new Deadline(timeout));
  }

  function post(url: string, timeout = 2000, sender = client()): Promise<HttpResponse> {
    const body = 'code=topsecret';
    const headers = { 'content-length': String(body.length) };
    return sender.send({ method: 'POST', url: new URL(url), headers, body }, new Deadline(timeout));
  }

  async function problemOf(work: Promise<unknown>): Promise<Problem> {
    const problem: unknown = await rejection(work);
    expect(problem).to.be.instanceOf(Problem);
    expect(`${(problem as Problem).stack}`).not.to.include('topsecret');
    return problem as Problem;
  }

  /** The timers that keep the process alive. */
  function timers(): number {
    return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  }

  /** Waits until the servers have seen every connection close. */
  async function everythingClosed(): Promise<void> {
    for (let turns = 0; openSockets() > 0 && turns < 200; turns += 1) await pause(5);
    expect(openSockets()).to.equal(0);
  }

  describe('an answer', () => {
    it('is status, headers and body', async () => {
      const origin = await httpServer((req, res) => {
        res.writeHead(418, {
          'x-method': `${req.method} ${req.url}`,
          'x-test': req.headers['x-test'],
        });
        res.end('hello');
      });
      const response = await client().send(
        { method: 'GET', url: new URL(`${origin}/a?b=c`), headers: { 'x-test': 'yes' } },
        new Deadline(2000),
      );
      expect(response.status).to.equal(418);
      expect(response.headers).to.include({ 'x-method': 'GET /a?b=c', 'x-test': 'yes' });
      expect(response.body).to.equal('hello');
    });

    it('follows the body that was posted', async () => {
      const origin = await httpServer((req, res) => {
        req.setEncoding('utf8');
        let body = '';
        req.on('data', (chunk: string) => (body += chunk));
        req.on('end', () => res.end(`${req.method} ${body}`));
      });
      expect((await post(origin)).body).to.equal('POST code=topsecret');
    });

    it('is decoded whole when a character is split between chunks', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () => {
          const body = Buffer.from('Zoë');
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
          socket.write(body.subarray(0, 3));
          setTimeout(() => socket.write(body.subarray(3)), 20);
        });
      });
      expect((await get(origin)).body).to.equal('Zoë');
    });

    it('may come in chunks, and may be empty', async () => {
      const origin = await httpServer((req, res) => {
        if (req.url === '/empty') {
          res.writeHead(204).end();
          return;
        }
        res.write('one ');
        res.write('two');
        res.end();
      });
      expect((await get(origin)).body).to.equal('one two');
      expect((await get(`${origin}/empty`)).body).to.equal('');
    });

    it('may be as large as the limit', async () => {
      const origin = await httpServer((_req, res) => res.end('x'.repeat(MAX_RESPONSE_BYTES)));
      expect((await get(origin)).body).to.have.lengthOf(MAX_RESPONSE_BYTES);
    });

    it('is returned when it is a redirect, and the redirect is not followed', async () => {
      const asked: (string | undefined)[] = [];
      const origin = await httpServer((req, res) => {
        asked.push(req.url);
        res.writeHead(302, { location: '/elsewhere' }).end();
      });
      const response = await get(`${origin}/here`);
      expect(response.status).to.equal(302);
      expect(response.headers.location).to.equal('/elsewhere');
      expect(asked).to.deep.equal(['/here']);
    });
  });

  describe('the deadline', () => {
    const cases: [string, (socket: net.Socket) => void][] = [
      ['a server that accepts and says nothing', () => {}],
      [
        'headers that never end',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nX-A: ');
        },
      ],
      [
        'a body that never comes',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
        },
      ],
      [
        'a body that drips',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n');
          const timer = setInterval(() => socket.write('x'), 5);
          socket.on('close', () => clearInterval(timer));
        },
      ],
      [
        'headers that drip',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nX-A: ');
          const timer = setInterval(() => socket.write('x'), 5);
          socket.on('close', () => clearInterval(timer));
        },
      ],
      [
        'an endless row of informational answers',
        (socket) => {
          const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 5);
          socket.on('close', () => clearInterval(timer));
        },
      ],
    ];
    for (const [title, handler] of cases) {
      it(`ends ${title}, and closes the connection`, async () => {
        const origin = await rawServer((socket) => {
          socket.once('data', () => handler(socket));
        });
        expect((await problemOf(get(origin, 80))).code).to.equal('timeout');
        await everythingClosed();
      });
    }

    it('ends a TLS handshake that is never answered', async () => {
      const origin = await rawServer(() => {});
      const problem = await problemOf(get(origin.replace('http:', 'https:'), 80));
      expect(problem.code).to.equal('timeout');
      await everythingClosed();
    });

    it('ends an exchange that has no time left', async () => {
      const origin = await rawServer(() => {});
      const problem = await problemOf(post(origin, 0));
      expect(problem).to.include({ code: 'timeout', message: 'not finished within 0 ms' });
    });

    it('RFC 9700 §4.14 — sends nothing once it is over', async () => {
      const server = http.createServer();
      let connections = 0;
      const asked: (string | undefined)[] = [];
      server.on('connection', () => (connections += 1));
      const origin = await httpServer((req, res) => {
        asked.push(req.method);
        res.end('ok');
      }, server);
      const sender = client();
      expect((await problemOf(post(origin, 0, sender))).code).to.equal('timeout');
      expect((await problemOf(get(origin, 0, sender))).code).to.equal('timeout');
      // An earlier request would have arrived before this one.
      await get(origin, 2000, sender);
      expect(connections).to.equal(1);
      // An idle connection is not used either.
      expect((await problemOf(post(origin, 0, sender))).code).to.equal('timeout');
      await get(origin, 2000, sender);
      expect(asked).to.deep.equal(['GET', 'GET']);
      expect(connections).to.equal(1);
    });

    it('RFC 9700 §4.14 — loses no answer that came in time, although the process was too busy to read it', async () => {
      const origin = await httpServer((_req, res) => {
        res.end('the only copy of a refresh token');
        // Nothing is read, and no timer runs, until the deadline is over.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      });
      expect((await post(origin, 300)).body).to.equal('the only copy of a refresh token');
    });

    it('runs on no clock that can be set', async () => {
      const realNow = Date.now;
      let offset = 0;
      const origin = await httpServer((_req, res) => {
        offset = -offset * 2;
        setTimeout(() => res.end('ok'), 20);
      });
      try {
        Date.now = () => realNow() + offset;
        // The clock is an hour ahead, then two behind.
        offset = 3_600_000;
        const sender = client();
        expect((await post(origin, 2000, sender)).body).to.equal('ok');
        expect((await get(origin, 2000, sender)).body).to.equal('ok');
      } finally {
        Date.now = realNow;
      }
    });

    it('leaves no timer behind when the answer comes first', async () => {
      const origin = await httpServer((_req, res) => res.end('ok'));
      await pause(1);
      const before = timers();
      // The deadline is longer than the suite takes: a forgotten timer would still be there.
      const sender = client(new http.Agent({ keepAlive: false }));
      await get(origin, 600_000, sender);
      await everythingClosed();
      expect(timers()).to.be.at.most(before);
    });
  });

  describe('the size limit', () => {
    it('ends a body that is larger, and closes the connection', async () => {
      const origin = await httpServer((_req, res) => res.end('x'.repeat(MAX_RESPONSE_BYTES + 1)));
      expect(await problemOf(get(origin))).to.include({
        code: 'response_too_large',
        message: 'the answer exceeds 1048576 bytes',
      });
      await everythingClosed();
    });

    /** Writes a text as often and as fast as the other side reads it. */
    function pour(into: Writable, text: string): void {
      const go = () => {
        while (!into.destroyed && into.write(text));
      };
      into.on('drain', go);
      go();
    }

    it('ends a body that never ends', async () => {
      const origin = await httpServer((_req, res) => pour(res, 'x'.repeat(65_536)));
      expect((await problemOf(get(origin))).code).to.equal('response_too_large');
      await everythingClosed();
    });

    it('counts bytes, not characters', async () => {
      const origin = await httpServer((_req, res) => res.end('ë'.repeat(MAX_RESPONSE_BYTES / 2)));
      expect((await get(origin)).body).to.have.lengthOf(MAX_RESPONSE_BYTES / 2);
      const larger = await httpServer((_req, res) =>
        res.end(`${'ë'.repeat(MAX_RESPONSE_BYTES / 2)}x`),
      );
      expect((await problemOf(get(larger))).code).to.equal('response_too_large');
    });

    const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const [title, start, rest, code] of [
      ['headers', 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n', 'connection_failed'],
      ['one header', 'HTTP/1.1 200 OK\r\nX-A: ', 'b', 'connection_failed'],
      ['a status', 'HTTP/1.1 200 ', 'OK', 'connection_failed'],
      ['informational answers', '', 'HTTP/1.1 102 Processing\r\n\r\n', 'response_too_large'],
      ['trailers', `${CHUNKED}2\r\nok\r\n0\r\n`, 'X-A: b\r\n', 'incomplete_response'],
      ['an extension of a chunk', `${CHUNKED}2;a=`, 'b', 'incomplete_response'],
    ] as const) {
      it(`ends ${title} without end: ${code}`, async () => {
        const origin = await rawServer((socket) => {
          socket.once('data', () => {
            socket.write(start);
            pour(socket, rest.repeat(1000));
          });
        });
        expect((await problemOf(get(origin, 9000))).code).to.equal(code);
        await everythingClosed();
      });
    }

    it('RFC 9110 §15.2 — counts a hundred informational answers as usual', async () => {
      for (const [count, code] of [
        [100, undefined],
        [101, 'response_too_large'],
      ] as const) {
        const origin = await rawServer((socket) => {
          socket.once('data', () => {
            socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(count));
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          });
        });
        const sent = get(origin);
        if (code) expect((await problemOf(sent)).code).to.equal(code);
        else expect((await sent).body).to.equal('ok');
      }
    });
  });

  describe('a broken connection', () => {
    it('inside the body: incomplete_response', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () =>
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a":1}'),
        );
      });
      const problem = await problemOf(get(origin));
      expect(problem).to.include({
        code: 'incomplete_response',
        message: 'the connection was closed before the answer was whole',
      });
      expect(problem.details.cause).to.include({ name: 'Error', code: 'ECONNRESET' });
    });

    it('inside a chunked body: incomplete_response', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () =>
          socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n'),
        );
      });
      expect((await problemOf(get(origin))).code).to.equal('incomplete_response');
    });

    it('by a reset after the headers: incomplete_response', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{');
          setTimeout(() => socket.resetAndDestroy(), 20);
        });
      });
      const problem = await problemOf(get(origin));
      expect(problem.code).to.equal('incomplete_response');
      expect(problem.details.cause).to.include({ name: 'Error', code: 'ECONNRESET' });
    });

    it('RFC 9110 §15.2.2 — by a change of protocol that the request did not ask for: incomplete_response', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () =>
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n',
          ),
        );
      });
      const problem = await problemOf(get(origin));
      expect(problem.code).to.equal('incomplete_response');
      // Node reported no error.
      expect(problem.details.cause).to.equal(undefined);
      await everythingClosed();
    });

    it('RFC 9112 §9.6 — loses no whole answer when it closes behind it', async () => {
      const body = 'x'.repeat(MAX_RESPONSE_BYTES);
      const origin = await rawServer((socket) => {
        socket.once('data', () =>
          socket.end(
            `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          ),
        );
      });
      expect((await get(origin)).body).to.have.lengthOf(body.length);
      await everythingClosed();
    });

    it('RFC 9112 §6.3 — ends an answer that has no length', async () => {
      const origin = await rawServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
      });
      expect((await get(origin)).body).to.equal('until the end');
    });

    for (const [title, handler] of [
      ['by a reset before the headers', (socket: net.Socket) => socket.resetAndDestroy()],
      ['by an end before the headers', (socket: net.Socket) => socket.end()],
      ['inside the headers', (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
      [
        'with something that is not HTTP',
        (socket: net.Socket) => socket.end('SSH-2.0-topsecret\r\n'),
      ],
      [
        'with two lengths',
        (socket: net.Socket) =>
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
      ],
      [
        'with headers that are too large',
        (socket: net.Socket) =>
          socket.end(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(200_000)}\r\n\r\n`),
      ],
    ] as const) {
      it(`${title}: connection_failed, once`, async () => {
        let connections = 0;
        const origin = await rawServer((socket) => {
          connections += 1;
          socket.once('data', () => {
            handler(socket);
          });
        });
        const problem = await problemOf(get(origin));
        expect(problem.code).to.equal('connection_failed');
        expect(problem.message).to.match(/^the connection failed \((ECONNRESET|HPE_[A-Z_]+)\)$/);
        expect(problem.details.cause).to.be.instanceOf(Error);
        expect(problem.details.cause).not.to.have.property('rawPacket');
        expect(connections).to.equal(1);
      });
    }

    it('before it is made: connection_refused', async () => {
      const problem = await problemOf(get(`http://127.0.0.1:${await freePort()}`));
      expect(problem).to.include({
        code: 'connection_refused',
        message: 'the connection was refused',
      });
      expect(problem.details.cause).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
    });

    /** The problem of a request whose socket cannot be made, for the given reason. */
    async function problemFor(reason: Error): Promise<Problem> {
      const lookup: net.LookupFunction = (_hostname, _options, callback) => callback(reason, '');
      const agent = new http.Agent({ lookup });
      return await problemOf(get('http://acme.test/', 2000, client(agent)));
    }

    for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
      it(`because the host does not exist: dns_error for ${code}`, async () => {
        const hostname = 'acme.test';
        const error = Object.assign(new Error(`getaddrinfo ${code}`), { code, hostname });
        const problem = await problemFor(error);
        expect(problem).to.include({
          code: 'dns_error',
          message: 'the host name could not be resolved',
        });
        expect(problem.details.cause).to.include({ message: error.message, code, hostname });
      });
    }

    for (const code of [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'CERT_HAS_EXPIRED',
      'EPROTO',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'HOSTNAME_MISMATCH',
    ]) {
      it(`because the certificate or TLS itself is refused: tls_error for ${code}`, async () => {
        const problem = await problemFor(Object.assign(new Error('no TLS'), { code }));
        expect(problem).to.include({
          code: 'tls_error',
          message: `the TLS connection failed (${code})`,
        });
        expect(problem.details.cause).to.include({ message: 'no TLS', code });
      });
    }

    for (const code of ['ETIMEDOUT', 'EHOSTUNREACH', 'EPROTONOSUPPORT', 'NOT_CERT_AT_ALL']) {
      it(`for any other reason: connection_failed for ${code}`, async () => {
        const problem = await problemFor(Object.assign(new Error('no way'), { code }));
        expect(problem).to.include({
          code: 'connection_failed',
          message: `the connection failed (${code})`,
        });
        expect(problem.details.cause).to.include({ message: 'no way', code });
      });
    }

    it('for a reason without a code: connection_failed, in its own words', async () => {
      const problem = await problemFor(new Error('the proxy said no'));
      expect(problem).to.include({
        code: 'connection_failed',
        message: 'the connection failed (the proxy said no)',
      });
    });

    it('RFC 6761 §6.4 — a host under .invalid does not resolve: dns_error', async () => {
      expect((await problemOf(get('http://acme.invalid/', 5000))).code).to.be.oneOf([
        'dns_error',
        // A resolver that cannot be reached may take longer than the deadline.
        'timeout',
      ]);
    });
  });

  describe('compression', () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity', 'identity, gzip', 'x']) {
      it(`is refused unread: ${encoding}`, async () => {
        const origin = await httpServer((_req, res) => {
          res.writeHead(200, { 'content-encoding': encoding }).end('x');
        });
        expect(await problemOf(get(origin))).to.include({
          code: 'unexpected_content_encoding',
          message: 'the answer is compressed',
        });
        await everythingClosed();
      });
    }

    for (const name of ['identity', 'Identity', '', 'utf-8', 'UTF8']) {
      it(`RFC 9110 §8.4.1 — is not what Content-Encoding: ${name || '(empty)'} says`, async () => {
        const origin = await httpServer((_req, res) => {
          res.writeHead(200, { 'content-encoding': name }).end('x');
        });
        expect((await get(origin)).body).to.equal('x');
      });
    }
  });

  describe('kept connections', () => {
    it('serve many requests one after the other', async () => {
      let connections = 0;
      const server = http.createServer();
      server.on('connection', () => (connections += 1));
      const origin = await httpServer((_req, res) => res.end('ok'), server);
      const sender = client();
      for (let i = 0; i < 20; i += 1) {
        expect((await (i % 2 ? get : post)(origin, 2000, sender)).body).to.equal('ok');
      }
      expect(connections).to.equal(1);
      sender.close();
      await everythingClosed();
    });

    /** Answers the first request of a connection, and breaks the connection upon the second. */
    async function staleServer(): Promise<{ origin: string; methods: string[] }> {
      const methods: string[] = [];
      const origin = await rawServer((socket) => {
        let requests = 0;
        socket.on('data', (data) => {
          requests += 1;
          methods.push(data.toString().split(' ')[0] ?? '');
          if (requests > 1) socket.resetAndDestroy();
          else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      });
      return { origin, methods };
    }

    it('that turn out closed are replaced once for a GET', async () => {
      const { origin, methods } = await staleServer();
      const sender = client();
      await get(origin, 2000, sender);
      expect((await get(origin, 2000, sender)).body).to.equal('ok');
      expect(methods).to.deep.equal(['GET', 'GET', 'GET']);
    });

    it('RFC 9700 §4.14 — that turn out closed are never replaced for a POST', async () => {
      const { origin, methods } = await staleServer();
      const sender = client();
      await get(origin, 2000, sender);
      const problem = await problemOf(post(origin, 2000, sender));
      expect(problem.code).to.equal('connection_failed');
      await pause(20);
      expect(methods).to.deep.equal(['GET', 'POST']);
    });

    /** Sends requests at the same time, and leaves as many idle connections. */
    async function leaveIdle(origin: string, sender: HttpClient, count: number): Promise<void> {
      await Promise.all(Array.from({ length: count }, () => get(origin, 2000, sender)));
      expect(openSockets()).to.equal(count);
    }

    it('are all closed for the repeated GET, which gets a fresh one', async () => {
      const { origin, methods } = await staleServer();
      const sender = client();
      await leaveIdle(origin, sender, 4);
      expect((await get(origin, 2000, sender)).body).to.equal('ok');
      expect(methods).to.have.lengthOf(6);
      for (let turns = 0; openSockets() > 1 && turns < 200; turns += 1) await pause(5);
      expect(openSockets()).to.equal(1);
    });

    it('RFC 9700 §4.14 — repeat no POST, however many of them are idle', async () => {
      const { origin, methods } = await staleServer();
      const sender = client();
      await leaveIdle(origin, sender, 4);
      expect((await problemOf(post(origin, 2000, sender))).code).to.equal('connection_failed');
      await pause(20);
      expect(methods.filter((method) => method === 'POST')).to.deep.equal(['POST']);
      expect(methods).to.have.lengthOf(5);
    });

    it('of the application’s own agent stay open', async () => {
      const { origin } = await staleServer();
      const agent = new http.Agent({ keepAlive: true });
      const sender = client(agent);
      await leaveIdle(origin, sender, 3);
      expect((await problemOf(get(origin, 2000, sender))).code).to.equal('connection_failed');
      for (let turns = 0; openSockets() > 1 && turns < 200; turns += 1) await pause(5);
      expect(openSockets()).to.equal(1);
    });

    it('repeat a GET once, and no more', async () => {
      let connections = 0;
      let requests = 0;
      const origin = await rawServer((socket) => {
        connections += 1;
        const nth = connections;
        socket.on('data', () => {
          requests += 1;
          if (requests > 1) socket.resetAndDestroy();
          else if (nth === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      });
      const sender = client();
      await get(origin, 2000, sender);
      expect((await problemOf(get(origin, 2000, sender))).code).to.equal('connection_failed');
      expect(requests).to.equal(3);
    });

    it('do not keep a timed out request alive', async () => {
      let requests = 0;
      const origin = await httpServer((_req, res) => {
        requests += 1;
        if (requests !== 2) res.end('ok');
      });
      const sender = client();
      await get(origin, 2000, sender);
      expect((await problemOf(get(origin, 60, sender))).code).to.equal('timeout');
      expect((await get(origin, 2000, sender)).body).to.equal('ok');
    });
  });

  describe('an agent of the application', () => {
    it('is used for every request, and is left open', async () => {
      const origin = await httpServer((_req, res) => res.end('ok'));
      const agent = new http.Agent({ keepAlive: true });
      const hosts: unknown[] = [];
      const original = Reflect.get(agent, 'createConnection') as (
        ...parameters: unknown[]
      ) => unknown;
      Reflect.set(agent, 'createConnection', (...parameters: unknown[]) => {
        hosts.push(Reflect.get(Object(parameters[0]), 'port'));
        return Reflect.apply(original, agent, parameters);
      });
      const sender = client(agent);
      await get(origin, 2000, sender);
      await post(origin, 2000, sender);
      expect(hosts.map(String)).to.deep.equal([new URL(origin).port]);
      sender.close();
      await get(origin, 2000, sender);
      expect(hosts).to.have.lengthOf(1);
    });

    it('may be any object that gives a request its socket', async () => {
      const origin = await httpServer((req, res) => res.end(`${req.method}`));
      const alike = {
        addRequest: (
          request: http.ClientRequest & { onSocket(socket: net.Socket): void },
          { host, port }: net.TcpNetConnectOpts,
        ) => request.onSocket(net.connect({ host, port })),
        destroy: () => {},
      };
      expect((await get(origin, 2000, client(alike as unknown as http.Agent))).body).to.equal(
        'GET',
      );
      await everythingClosed();
    });

    it('lets the process exit before the answer to a background request', async () => {
      const origin = await httpServer((_req, res) => res.end('ok'));
      for (const isBackground of [true, undefined] as const) {
        let unrefs = 0;
        const agent = new http.Agent();
        const connect = agent.createConnection.bind(agent);
        agent.createConnection = (...parameters) => {
          const socket = connect(...parameters) as net.Socket;
          const { unref } = socket;
          socket.unref = () => {
            unrefs += 1;
            return unref.call(socket);
          };
          return socket;
        };
        const url = new URL(origin);
        const request = { method: 'GET', url, headers: {}, isBackground } as const;
        const before = timers();
        const sent = client(agent).send(request, new Deadline(2000));
        expect(timers() - before).to.equal(isBackground ? 0 : 1);
        expect(await sent).to.include({ body: 'ok' });
        expect(unrefs).to.equal(isBackground ? 1 : 0);
        agent.destroy();
      }
    });

    it('has its connection back when the answer is returned, even if the write is reported late', async () => {
      let sent: http.ClientRequest | undefined;
      const agent = {
        addRequest: (request: http.ClientRequest & { onSocket(socket: Duplex): void }) => {
          sent = request;
          const socket = new Duplex({
            read: () => {},
            // As TLS does in a busy process: the answer is there before the write is reported.
            write: (_chunk, _encoding, isWritten) => {
              socket.push('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
              setImmediate(isWritten);
            },
          });
          request.onSocket(socket);
        },
        destroy: () => {},
      };
      const sender = client(agent as unknown as http.Agent);
      expect((await post('http://acme.test/', 2000, sender)).body).to.equal('ok');
      expect(sent?.writableFinished).to.equal(true);
    });

    for (const [title, act] of [
      ['discards', (answer: http.IncomingMessage) => answer.destroy()],
      ['ends', (answer: http.IncomingMessage) => setImmediate(() => answer.push(null))],
    ] as const) {
      it(`fails the request when it ${title} an answer early: incomplete_response`, async () => {
        const origin = await rawServer((socket) => {
          socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'));
        });
        const agent = {
          addRequest: (
            request: http.ClientRequest & { onSocket(socket: net.Socket): void },
            { host, port }: net.TcpNetConnectOpts,
          ) => {
            request.on('response', act);
            request.onSocket(net.connect({ host, port }));
          },
          destroy: () => {},
        };
        const sender = client(agent as unknown as http.Agent);
        const problem = await problemOf(get(origin, 2000, sender));
        expect(problem.code).to.equal('incomplete_response');
        await everythingClosed();
      });
    }

    it('RFC 3986 §3.2.2 — receives an IPv6 address without its brackets', async () => {
      const origin = await httpServer((_req, res) => res.end('ok'));
      const asked: unknown[] = [];
      const alike = {
        addRequest: (
          request: http.ClientRequest & { onSocket(socket: net.Socket): void },
          { host, port, path }: net.TcpNetConnectOpts & { path?: string },
        ) => {
          asked.push([host, port, path]);
          request.onSocket(net.connect({ host: '127.0.0.1', port: Number(new URL(origin).port) }));
        },
        destroy: () => {},
      };
      const sender = client(alike as unknown as http.Agent);
      await get('http://[2001:db8::1]:8080/a?b=%20c', 2000, sender);
      await get('http://acme.test/', 2000, sender);
      expect(asked).to.deep.equal([
        ['2001:db8::1', 8080, '/a?b=%20c'],
        ['acme.test', 80, '/'],
      ]);
      await everythingClosed();
    });

    for (const [scheme, agent] of [
      ['https', new http.Agent()],
      ['http', new https.Agent()],
    ] as const) {
      it(`must speak the protocol of the URL: ${scheme}`, async () => {
        const problem = await problemOf(get(`${scheme}://127.0.0.1:1/`, 2000, client(agent)));
        expect(problem).to.include({
          code: 'agent_unusable',
          message: 'the agent cannot speak the protocol of the URL',
        });
        expect(problem.details.cause).to.include({ code: 'ERR_INVALID_PROTOCOL' });
      });
    }
  });

  it('RFC 9110 §5.5 — refuses a header that holds a newline, with the TypeError of Node', async () => {
    let connections = 0;
    const server = http.createServer();
    server.on('connection', () => (connections += 1));
    const origin = await httpServer((_req, res) => res.end('ok'), server);
    const sender = client();
    const headers = { 'x-trace': 'a\r\nb: c' };
    const error: unknown = await rejection(
      sender.send({ method: 'GET', url: new URL(origin), headers }, new Deadline(2000)),
    );
    expect(error).to.be.instanceOf(TypeError).with.property('code', 'ERR_INVALID_CHAR');
    // An earlier request would have arrived before this one.
    await get(origin, 2000, sender);
    expect(connections).to.equal(1);
  });

  describe('TLS', () => {
    async function tlsServer(): Promise<string> {
      const server = https.createServer(
        { cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY },
        (_req, res) => {
          res.end('over TLS');
        },
      );
      server.on('tlsClientError', () => {});
      return `https://localhost:${await portOf(server)}`;
    }

    it('RFC 6749 §1.6 — refuses a certificate that no known authority has signed', async () => {
      const problem = await problemOf(get(await tlsServer()));
      expect(problem.code).to.equal('tls_error');
      expect(problem.message).to.include('DEPTH_ZERO_SELF_SIGNED_CERT');
      await everythingClosed();
    });

    it('accepts it with an agent that knows the authority', async () => {
      const agent = new https.Agent({ ca: TEST_ONLY_CERTIFICATE });
      expect((await get(await tlsServer(), 2000, client(agent))).body).to.equal('over TLS');
    });

    it('refuses a certificate of another host', async () => {
      const agent = new https.Agent({ ca: TEST_ONLY_CERTIFICATE, servername: 'acme.test' });
      expect((await problemOf(get(await tlsServer(), 2000, client(agent)))).code).to.equal(
        'tls_error',
      );
    });

    it('RFC 6749 §6 — that fails on a kept connection is connection_failed: the request may have been sent', async () => {
      const raw: net.Socket[] = [];
      const server = https.createServer(
        { cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY },
        (req, res) => {
          if (req.method === 'GET') res.end('over TLS');
          // The request has arrived. The next bytes are not TLS.
          else raw[0]?.write('HTTP/1.1 200 OK\r\n\r\n');
        },
      );
      server.on('connection', (socket: net.Socket) => raw.push(socket));
      server.on('tlsClientError', () => {});
      const url = new URL(`https://localhost:${await portOf(server)}`);
      const agent = new https.Agent({ ca: TEST_ONLY_CERTIFICATE, keepAlive: true });
      const sender = client(agent);
      await get(url.href, 2000, sender);
      const sent = sender.send({ method: 'POST', url, headers: {} }, new Deadline(2000));
      expect((await problemOf(sent)).code).to.equal('connection_failed');
      expect(raw).to.have.lengthOf(1);
      agent.destroy();
    });

    it('refuses a server that does not speak it', async () => {
      const origin = await httpServer((_req, res) => res.end('plain'));
      const problem = await problemOf(get(origin.replace('http:', 'https:')));
      expect(problem.code).to.equal('tls_error');
    });
  });
});
