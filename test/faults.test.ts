/**
 * Faults of a provider, a network or a browser, over real sockets. Each login ends once, says what failed
 * and where, and leaves neither socket nor timer behind.
 */
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { isOAuth2Error } from 'crm-oauth2';
import type { LoginAttempt } from 'crm-oauth2';
import type { SkipUserProfile } from 'crm-oauth2/passport';
import { Passport } from 'passport';
import type { Strategy } from 'passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { requestFor } from './support/passport-run';
import type { FakeRequest } from './support/passport-run';
import { straysOf } from './support/strays';

const CALLBACK = 'http://127.0.0.1:3000/auth/callback';
const SECRET = 'secret-1';
/** Long enough for any answer that does come. */
const PATIENT = 20_000;
/** For answers that never come; long enough for the steps before. */
const IMPATIENT = 300;

const common = { clientID: 'client-1', clientSecret: SECRET, callbackURL: CALLBACK };
const verify = ({ profile }: { profile?: { id: string } }): object => ({ id: profile?.id });

interface Settings extends Partial<Pick<SalesloftStrategy.Options, 'agent' | 'store' | 'timeout'>> {
  verify?: SalesloftStrategy.TypedVerify<SalesloftStrategy.Profile | undefined>;
  skipUserProfile?: SkipUserProfile;
}

const TOKENS = { access_token: 'at-1', refresh_token: 'rt-1', token_type: 'Bearer' };
const PERSON = { data: { id: 7, name: 'Zoe Quill' } };
const USER_ID = '005000000000001AAA';
const ORG_ID = '00D000000000001EAA';

/** The pair of the crm-oauth2 tests: self-signed, for localhost. */
const [certificate = '', privateKey = ''] =
  readFileSync(join(__dirname, '../packages/crm-oauth2/test/fixtures/tls.ts'), 'utf8').match(
    /-----BEGIN (CERTIFICATE|PRIVATE KEY)-----[^-]+-----END \1-----/g,
  ) ?? [];

/** One whole answer, as bytes. */
function answer(body: unknown, headers: Record<string, string> = {}, status = '200 OK'): Buffer {
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const lines = Object.entries({
    'Content-Type': 'application/json',
    'Content-Length': String(content.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`), content]);
}

/** The resources that keep the process alive, counted by kind. */
async function resources(): Promise<Map<string, number>> {
  // A timer counts until its callback is over. The runner starts its own after the test.
  await turn();
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 2000 && !(await holds()); turns += 1) await sleep(2);
}

/** Runs in another time zone: the third form of a date names none, and means GMT. */
async function inZone(zone: string, work: () => Promise<void>): Promise<void> {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

/** A promise that the test resolves. */
function gate(): { released: Promise<void>; release: () => void } {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { released, release };
}

type Verb = 'success' | 'fail' | 'redirect' | 'error' | 'pass';
interface Outcome {
  verb: Verb;
  values: unknown[];
}

/** As much of a strategy as a test needs. */
interface TestStrategy {
  client: { close(): void };
  authenticate(req: object, options?: object): void;
}

/** The servers, strategies and outcomes of one test. */
class Bench {
  readonly #servers: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #clients: { close(): void }[] = [];
  readonly #outcomes: Outcome[][] = [];

  /** Listens on a port of its own; `host` as errors tell it. */
  async listen(server: net.Server): Promise<{ host: string; server: net.Server }> {
    this.#servers.push(server);
    server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }

  /** A server that answers every request with these bytes, spoken in its own way. */
  async raw(speak: (socket: net.Socket, nth: number) => void) {
    let requests = 0;
    const listening = await this.listen(
      net.createServer((socket) => {
        socket.on('data', () => {
          requests += 1;
          speak(socket, requests);
        });
      }),
    );
    return { ...listening, requests: () => requests };
  }

  async http(handler: http.RequestListener) {
    return await this.listen(http.createServer(handler));
  }

  async json(body: unknown) {
    return await this.http((req, res) => {
      req.resume().on('end', () => {
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
  }

  use<S extends TestStrategy>(strategy: S): S {
    this.#clients.push(strategy.client);
    return strategy;
  }

  /** Runs one request; a second outcome, however late, is found at the end. */
  run(strategy: TestStrategy, request: FakeRequest): Promise<Outcome> {
    const outcomes: Outcome[] = [];
    this.#outcomes.push(outcomes);
    return new Promise((resolve) => {
      const instance = Object.create(strategy) as TestStrategy;
      for (const verb of ['success', 'fail', 'redirect', 'error', 'pass'] as const) {
        Reflect.set(instance, verb, (...values: unknown[]) => {
          outcomes.push({ verb, values });
          resolve({ verb, values });
        });
      }
      instance.authenticate(request);
    });
  }

  /** An outcome that is noted elsewhere. */
  watch(outcomes: Outcome[]): void {
    this.#outcomes.push(outcomes);
  }

  /** Begins a login and comes back with a code, as a browser does. */
  async login(
    strategy: TestStrategy,
    onStart: (url: URL) => void = () => undefined,
  ): Promise<Outcome> {
    const session = {};
    const { verb, values } = await this.run(
      strategy,
      requestFor(CALLBACK.replace('/callback', ''), session),
    );
    if (verb !== 'redirect') throw values[0] as Error;
    const url = new URL(values[0] as string);
    onStart(url);
    const state = url.searchParams.get('state') ?? '';
    return await this.run(strategy, requestFor(`${CALLBACK}?code=c-1&state=${state}`, session));
  }

  connections(server: net.Server): Promise<number> {
    return new Promise((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  async expectClosed(server: net.Server): Promise<void> {
    await until(async () => (await this.connections(server)) === 0);
    expect(await this.connections(server)).to.equal(0);
  }

  /** Expects that every connection is closed, and that each login had one outcome. */
  async finish(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const server of this.#servers) await this.expectClosed(server);
    for (const outcomes of this.#outcomes)
      expect(outcomes.map(({ verb }) => verb)).to.have.lengthOf(1);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map(async (server) => {
        if (!server.listening) return;
        const closed = once(server, 'close');
        server.close();
        await closed;
      }),
    );
  }
}

/** Runs a test, and expects that it leaves no socket, no timer and no unhandled rejection behind. */
async function contained(work: (bench: Bench) => Promise<void>): Promise<void> {
  const before = await resources();
  const bench = new Bench();
  const strays = await straysOf(async () => {
    try {
      await work(bench);
      await bench.finish();
    } finally {
      await bench.close();
    }
  });
  expect(strays).to.deep.equal([]);
  const surplus = async () =>
    [...(await resources())].filter(([kind, count]) => count > (before.get(kind) ?? 0));
  await until(async () => (await surplus()).length === 0);
  expect(await surplus()).to.deep.equal([]);
}

function expectError({ verb, values }: Outcome, expected: Record<string, unknown>): void {
  const [error] = values;
  if (verb !== 'error' || !isOAuth2Error(error))
    throw new Error(`${verb}: ${JSON.stringify(values)}`);
  const found = Object.keys(expected).map((key) => [key, Reflect.get(error, key) as unknown]);
  expect(Object.fromEntries(found)).to.deep.equal(expected);
  expect(error.hint).to.be.a('string').and.not.equal('');
}

function expectUser({ verb, values }: Outcome, id: string): void {
  if (verb !== 'success') throw new Error(verb, { cause: values[0] });
  expect(values[0]).to.deep.equal({ id });
}

/** Where a request can go wrong: at the token endpoint, at the key set, at the profile. */
type Place = 'token' | 'jwks' | 'profile';
const PLACES: readonly Place[] = ['token', 'jwks', 'profile'];
const STAGES = { token: 'token', jwks: 'id_token', profile: 'profile' } as const;

const { privateKey: signingKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEYS = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k-1', alg: 'RS256' }] };

function idToken(claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  const [head, body] = [
    { alg: 'RS256', kid: 'k-1' },
    { iat: now, exp: now + 600, aud: 'client-1', ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = createSign('RSA-SHA256')
    .update(`${head}.${body}`)
    .sign(signingKey, 'base64url');
  return `${head}.${body}.${signature}`;
}

const BODIES: Record<Place, unknown> = { token: TOKENS, jwks: KEYS, profile: PERSON };

/** A login whose provider misbehaves in one place only, and how it ends. */
async function loginWith(
  bench: Bench,
  place: Place,
  host: string,
  settings: Settings = {},
): Promise<Outcome> {
  const base = host.includes('://') ? host : `http://${host}`;
  if (place !== 'jwks') {
    const token = place === 'token' ? base : `http://${(await bench.json(TOKENS)).host}`;
    const profile = place === 'profile' ? base : `http://${(await bench.json(PERSON)).host}`;
    const strategy = new SalesloftStrategy({
      ...common,
      verify,
      timeout: PATIENT,
      tokenURL: `${token}/token`,
      profileURL: `${profile}/me`,
      ...settings,
    });
    return await bench.login(bench.use(strategy));
  }
  let nonce: string | null = null;
  let issuer = '';
  const provider = await bench.http((req, res) => {
    req.resume().on('end', () => {
      const id_token = idToken({ iss: issuer, sub: '7', name: 'Zoe Quill', nonce });
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ...TOKENS, id_token }));
    });
  });
  issuer = `http://${provider.host}/`;
  const strategy = new SalesosStrategy({
    ...common,
    verify,
    timeout: settings.timeout ?? PATIENT,
    agent: settings.agent,
    issuer,
    jwksURL: `${base}/keys`,
  });
  return await bench.login(bench.use(strategy), (url) => {
    nonce = url.searchParams.get('nonce');
  });
}

interface WireFault {
  title: string;
  speak: (socket: net.Socket, whole: Buffer, body: unknown) => void;
  code: string;
  status?: number;
  retryAfterSeconds?: number;
  /** Only the deadline ends it. */
  stalls?: true;
  /** The answer is whole, so its connection may be kept. */
  kept?: true;
  /** The place that accepts it: the content type of a key set is not checked. */
  except?: Place;
}

/** Answers with some headers replaced or added. `body` and its length stay. */
const headed =
  (headers: Record<string, string>) => (socket: net.Socket, _: Buffer, body: unknown) =>
    socket.end(answer(body, headers));

const responds = (status: string, body: string, headers: Record<string, string> = {}) => {
  const bytes = answer(body, { 'Content-Type': 'text/html', ...headers }, status);
  return (socket: net.Socket) => socket.write(bytes);
};

/** Every interval of a server ends with its socket. */
function repeat(socket: net.Socket, milliseconds: number, act: () => void): void {
  const timer = setInterval(act, milliseconds);
  socket.on('close', () => clearInterval(timer));
}

const BOMB = gzipSync(Buffer.alloc(32 * 1024 * 1024));

const WIRE_FAULTS: readonly WireFault[] = [
  {
    title: 'is reset before the headers',
    speak: (socket) => socket.resetAndDestroy(),
    code: 'connection_failed',
  },
  {
    title: 'is reset inside the headers',
    speak: (socket, whole) => socket.write(whole.subarray(0, 30), () => socket.resetAndDestroy()),
    code: 'connection_failed',
  },
  {
    title: 'ends inside the headers',
    speak: (socket, whole) => socket.end(whole.subarray(0, 30)),
    code: 'connection_failed',
  },
  {
    title: 'ends after the headers',
    speak: (socket, whole) => socket.end(whole.subarray(0, whole.indexOf('\r\n\r\n') + 4)),
    code: 'incomplete_response',
  },
  {
    title: 'ends after half a body',
    speak: (socket, whole) => socket.end(whole.subarray(0, -9)),
    code: 'incomplete_response',
  },
  {
    title: 'stops after half a body',
    speak: (socket, whole) => socket.write(whole.subarray(0, -9)),
    code: 'timeout',
    stalls: true,
  },
  {
    title: 'comes a byte at a time, too slowly',
    speak: (socket, whole) => {
      let sent = 0;
      repeat(socket, 20, () => {
        sent += 1;
        // Never the last one.
        if (sent < whole.length) socket.write(whole.subarray(sent - 1, sent));
      });
    },
    code: 'timeout',
    stalls: true,
  },
  {
    title: 'has a body that never ends',
    speak: (socket) => {
      const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = () => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    },
    code: 'response_too_large',
  },
  {
    title: 'is a gzip bomb',
    speak: (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${BOMB.length}\r\n\r\n`,
      );
      socket.write(BOMB);
    },
    code: 'unexpected_content_encoding',
  },
  {
    title: 'has a wrong content type',
    speak: headed({ 'Content-Type': 'text/plain' }),
    code: 'unexpected_content_type',
    kept: true,
    except: 'jwks',
  },
  {
    title: 'has a content length that is too small',
    speak: headed({ 'Content-Length': '5' }),
    code: 'incomplete_response',
  },
  {
    title: 'has a content length that is too large',
    speak: headed({ 'Content-Length': '4000' }),
    code: 'incomplete_response',
  },
  {
    title: 'has a negative content length',
    speak: headed({ 'Content-Length': '-2' }),
    code: 'connection_failed',
  },
  {
    title: 'has a content length beyond all numbers',
    speak: headed({ 'Content-Length': '9'.repeat(30) }),
    code: 'connection_failed',
  },
  {
    title: 'has a list of content lengths',
    speak: headed({ 'Content-Length': '2, 2' }),
    code: 'connection_failed',
  },
  {
    title: 'has two content lengths',
    speak: headed({ 'Content-length': '2' }),
    code: 'connection_failed',
  },
  {
    title: 'has a content length and chunks',
    speak: headed({ 'Transfer-Encoding': 'chunked' }),
    code: 'connection_failed',
  },
  {
    title: 'switches protocols',
    speak: (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    code: 'incomplete_response',
  },
  {
    title: 'is informational for ever',
    speak: (socket) => repeat(socket, 10, () => socket.write('HTTP/1.1 102 Processing\r\n\r\n')),
    code: 'timeout',
    stalls: true,
  },
  {
    title: 'redirects to itself',
    speak: responds('302 Found', '', { Location: '/again' }),
    code: 'unexpected_redirect',
    status: 302,
    kept: true,
  },
  {
    title: 'is 500 with a web page',
    speak: responds('500 Internal Server Error', '<html><h1>Oops</h1></html>'),
    code: 'provider_unavailable',
    status: 500,
    kept: true,
  },
  {
    title: 'is 429',
    speak: responds('429 Too Many Requests', 'slow down'),
    code: 'rate_limited',
    status: 429,
    kept: true,
  },
  {
    title: 'is 429 with Retry-After in seconds',
    speak: responds('429 Too Many Requests', '', { 'Retry-After': '120' }),
    code: 'rate_limited',
    status: 429,
    retryAfterSeconds: 120,
    kept: true,
  },
  {
    title: 'is 503',
    speak: responds('503 Service Unavailable', '<html></html>'),
    code: 'provider_unavailable',
    status: 503,
    kept: true,
  },
  {
    title: 'is 503 with Retry-After in seconds',
    speak: responds('503 Service Unavailable', '', { 'Retry-After': '0' }),
    code: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 0,
    kept: true,
  },
  {
    title: 'is 503 with Retry-After as a date that has passed',
    speak: responds('503 Service Unavailable', '', {
      'Retry-After': 'Sun, 06 Nov 1994 08:49:37 GMT',
    }),
    code: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 0,
    kept: true,
  },
  ...['soon', 'soon 5', '-5', '1.5', '5 minutes', '9'.repeat(12)].map((value): WireFault => ({
    title: `is 503 with a Retry-After of no known form: ${value}`,
    speak: responds('503 Service Unavailable', '', { 'Retry-After': value }),
    code: 'provider_unavailable',
    status: 503,
    kept: true,
  })),
];

describe('faults over real sockets', () => {
  for (const place of PLACES) {
    describe(`at the ${place} request`, () => {
      const stage = STAGES[place];
      /** All faults of the key set are one code, except the deadline. */
      const codeOf = (code: string) =>
        place === 'jwks' && code !== 'timeout' ? 'keys_unavailable' : code;

      for (const { title, speak, code, stalls, kept, except, ...details } of WIRE_FAULTS) {
        if (except === place) continue;
        it(`contract 6 — says ${codeOf(code)} when the answer ${title}`, () =>
          contained(async (bench) => {
            const whole = answer(BODIES[place]);
            const { host, server, requests } = await bench.raw((socket) =>
              speak(socket, whole, BODIES[place]),
            );
            const timeout = stalls ? IMPATIENT : PATIENT;
            const outcome = await loginWith(bench, place, host, { timeout });
            expectError(outcome, {
              code: codeOf(code),
              stage,
              host,
              status: undefined,
              retryAfterSeconds: undefined,
              ...details,
            });
            // The keys are fetched ahead, and again when they are needed. The profile's connection was opened
            // while the code was redeemed; a GET whose connection ends before an answer is sent once more.
            expect(requests()).to.be.within(1, place === 'token' ? 1 : 2);
            // A broken connection is closed, although the client stays open.
            if (!kept) await bench.expectClosed(server);
          }));
      }

      it(`contract 6 — says ${codeOf('connection_refused')} when the port is closed`, () =>
        contained(async (bench) => {
          const { host, server } = await bench.raw(() => undefined);
          server.close();
          await once(server, 'close');
          const outcome = await loginWith(bench, place, host);
          expectError(outcome, { code: codeOf('connection_refused'), stage, host });
        }));

      it('RFC 9110 §5.6.7 — knows the date in Retry-After, in each of its three forms, in any time zone', () =>
        inZone('Asia/Tokyo', () =>
          contained(async (bench) => {
            const date = new Date(Date.now() + 3_600_000);
            const [weekday, day, month, year, time] = date.toUTCString().split(/,? /);
            const forms = [
              date.toUTCString(),
              `${weekday}day, ${day}-${month}-${year?.slice(2)} ${time} GMT`,
              `${weekday} ${month} ${day?.replace(/^0/, ' ')} ${time} ${year}`,
            ];
            for (const form of forms) {
              const { host } = await bench.raw(
                responds('503 Service Unavailable', '', { 'Retry-After': form }),
              );
              const outcome = await loginWith(bench, place, host);
              const code = codeOf('provider_unavailable');
              expectError(outcome, { code, stage, host, status: 503 });
              const seconds: unknown = Reflect.get(Object(outcome.values[0]), 'retryAfterSeconds');
              expect(seconds, form).to.be.within(3000, 3600);
            }
          }),
        ));

      describe('TLS', () => {
        it(`RFC 6749 §1.6 — says ${codeOf('tls_error')} when the certificate is self-signed`, () =>
          contained(async (bench) => {
            let requests = 0;
            const { host, server } = await bench.listen(
              https.createServer({ cert: certificate, key: privateKey }, (_req, res) => {
                requests += 1;
                res.end();
              }),
            );
            const outcome = await loginWith(bench, place, `https://${host}`);
            expectError(outcome, { code: codeOf('tls_error'), stage, host });
            expect(requests).to.equal(0);
            await bench.expectClosed(server);
          }));

        it('contract 3 — says timeout when the handshake stalls', () =>
          contained(async (bench) => {
            const { host, server } = await bench.raw(() => undefined);
            const settings = { timeout: IMPATIENT };
            const outcome = await loginWith(bench, place, `https://${host}`, settings);
            expectError(outcome, { code: 'timeout', stage, host });
            await bench.expectClosed(server);
          }));

        for (const [title, speak, code] of [
          ['is reset', (socket: net.Socket) => socket.resetAndDestroy(), 'connection_failed'],
          ['ends', (socket: net.Socket) => socket.end(), 'connection_failed'],
          ['is answered in HTTP', (socket: net.Socket) => socket.end(answer({})), 'tls_error'],
        ] as const) {
          it(`contract 6 — says ${codeOf(code)} when the handshake ${title}`, () =>
            contained(async (bench) => {
              const { host, server } = await bench.raw(speak);
              const outcome = await loginWith(bench, place, `https://${host}`);
              expectError(outcome, { code: codeOf(code), stage, host });
              await bench.expectClosed(server);
            }));
        }
      });

      for (const failure of ['ENOTFOUND', 'EAI_AGAIN']) {
        it(`contract 6 — says ${codeOf('dns_error')} when its host has no address: ${failure}`, () =>
          contained(async (bench) => {
            const lookup: net.LookupFunction = (hostname, _options, callback) => {
              callback(Object.assign(new Error(`${failure} ${hostname}`), { code: failure }), '');
            };
            // Addresses of this machine are not looked up: the other requests go through.
            const agent = new http.Agent({ lookup });
            const base = 'http://localhost:1';
            const outcome = await loginWith(bench, place, base, { agent });
            const host = 'localhost:1';
            expectError(outcome, { code: codeOf('dns_error'), stage, host });
          }));
      }

      describe('an unusual answer that is right', () => {
        const fine: readonly [string, (socket: net.Socket, whole: Buffer) => void][] = [
          [
            'an answer byte by byte, in time',
            (socket, whole) => {
              let sent = 0;
              repeat(socket, 1, () => {
                if (sent < whole.length) socket.write(whole.subarray(sent, sent + 1));
                sent += 1;
              });
            },
          ],
          [
            'informational answers first',
            (socket, whole) => {
              socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n');
              socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
              socket.write(whole);
            },
          ],
          [
            'an answer sent twice at once',
            (socket, whole) => socket.write(Buffer.concat([whole, whole])),
          ],
          [
            'an answer sent twice, one after the other',
            (socket, whole) => {
              socket.write(whole);
              setImmediate(() => socket.write(whole));
            },
          ],
          [
            'an answer followed by an error on the same connection',
            (socket, whole) => {
              socket.write(whole);
              setImmediate(() => socket.write(answer({}, {}, '500 Internal Server Error')));
            },
          ],
        ];
        for (const [title, speak] of fine) {
          it(`contract 3 — ${title}`, () =>
            contained(async (bench) => {
              const whole = answer(BODIES[place]);
              const { host } = await bench.raw((socket) => speak(socket, whole));
              expectUser(await loginWith(bench, place, host), '7');
            }));
        }
      });
    });
  }

  it('contract 3 — a second answer is not used for the next login', () =>
    contained(async (bench) => {
      // One connection, which is kept: surplus bytes on it belong to no request.
      let login = 0;
      const { host } = await bench.raw((socket) => {
        login += 1;
        const tokens = (name: string) => answer({ ...TOKENS, access_token: `${name}-${login}` });
        socket.write(Buffer.concat([tokens('first'), tokens('second')]));
        const later = tokens('third');
        setImmediate(() => socket.write(later));
      });
      const profile = await bench.http((req, res) => {
        const [, name] = (req.headers.authorization ?? '').split(' ');
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ data: { id: name } }));
      });
      const strategy = bench.use(
        new SalesloftStrategy({
          ...common,
          verify,
          timeout: PATIENT,
          tokenURL: `http://${host}/token`,
          profileURL: `http://${profile.host}/me`,
        }),
      );
      for (const id of ['first-1', 'first-2', 'first-3']) {
        expectUser(await bench.login(strategy), id);
      }
    }));

  describe('the identity URL of Salesforce', () => {
    /** A Salesforce whose identity URL is answered by `identity`. */
    async function startSalesforce(
      bench: Bench,
      identity: (req: http.IncomingMessage, res: http.ServerResponse, nth: number) => void,
    ) {
      let asked = 0;
      const { host } = await bench.http((req, res) => {
        req.resume();
        if (req.method === 'GET') {
          asked += 1;
          identity(req, res, asked);
          return;
        }
        const id = `http://${req.headers.host}/id/${ORG_ID}/${USER_ID}`;
        const issued_at = '1780000000000';
        const signature = createHmac('sha256', SECRET)
          .update(id + issued_at)
          .digest('base64');
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ ...TOKENS, id, issued_at, signature }));
      });
      const strategy = (timeout: number) =>
        bench.use(
          new SalesforceStrategy({
            ...common,
            verify,
            timeout,
            loginURL: `http://${host}`,
            scope: ['id'],
          }),
        );
      return { host, strategy, asked: () => asked };
    }

    const loops: readonly [string, (url: string, nth: number) => string][] = [
      ['to itself', (url) => url],
      ['to and fro', (url, nth) => url.replace(/\?.*|$/, nth % 2 ? '?format=json' : '?version=1')],
      ['ever further', (url, nth) => `${url.split('?')[0]}?hop=${nth}`],
    ];
    for (const [title, location] of loops) {
      it(`contract 4 — a redirect loop ends after four requests: ${title}`, () =>
        contained(async (bench) => {
          const { host, strategy, asked } = await startSalesforce(bench, (req, res, nth) => {
            res.writeHead(302, { location: location(req.url ?? '', nth) }).end();
          });
          const outcome = await bench.login(strategy(PATIENT));
          expectError(outcome, { code: 'unexpected_redirect', stage: 'profile', host });
          expect(asked()).to.equal(4);
        }));
    }

    it('contract 3 — a redirect to a silent server ends at the deadline', () =>
      contained(async (bench) => {
        const { host, strategy, asked } = await startSalesforce(bench, (req, res, nth) => {
          if (nth === 1) res.writeHead(302, { location: `${req.url}&hop=1` }).end();
        });
        const outcome = await bench.login(strategy(IMPATIENT));
        expectError(outcome, { code: 'timeout', stage: 'profile', host });
        expect(asked()).to.equal(2);
      }));
  });

  describe('the deadline', () => {
    const never = new Promise<never>(() => undefined);
    /** The last two settle after the end of the login, and must not change its outcome. */
    const lateResults: readonly [string, (released: Promise<void>) => Promise<unknown>][] = [
      ['never', () => never],
      ['too late', (released) => released.then(() => undefined)],
      [
        'too late, with an error',
        (released) =>
          released.then(() => {
            throw new Error('too late');
          }),
      ],
    ];

    for (const [when, work] of lateResults) {
      const hanging: readonly [
        string,
        string,
        string,
        (job: Promise<unknown>) => Settings,
        boolean?,
      ][] = [
        [
          'store begin',
          'timeout',
          'authorize',
          (job) => ({ store: { begin: async () => void (await job), take: () => never } }),
          true,
        ],
        [
          'store take',
          'timeout',
          'authorize',
          (job) => ({
            store: { begin: () => undefined, take: () => job as Promise<'state_unknown'> },
          }),
        ],
        [
          'skipUserProfile, as a promise',
          'timeout',
          'profile',
          (job) => ({ skipUserProfile: () => job as never }),
        ],
        [
          'skipUserProfile, with a callback',
          'timeout',
          'profile',
          (job) => ({
            skipUserProfile: (_token: string, done: (error: unknown, skip?: boolean) => void) => {
              job.then(() => done(null, true), done);
            },
          }),
        ],
        ['the typed verify', 'verify_timeout', 'verify', (job) => ({ verify: () => job })],
      ];
      for (const [what, code, stage, settings, atStart] of hanging) {
        it(`contract 3 — ends ${what} that settles ${when}: ${code}`, () =>
          contained(async (bench) => {
            const { released, release } = gate();
            const [token, profile] = [await bench.json(TOKENS), await bench.json(PERSON)];
            const strategy = bench.use(
              new SalesloftStrategy({
                ...common,
                verify,
                timeout: IMPATIENT,
                tokenURL: `http://${token.host}/token`,
                profileURL: `http://${profile.host}/me`,
                ...settings(work(released)),
              }),
            );
            const outcome = atStart
              ? await bench.run(strategy, requestFor(CALLBACK.replace('/callback', ''), {}))
              : await bench.login(strategy);
            expectError(outcome, { code, stage, provider: 'salesloft' });
            release();
            await turn();
          }));
      }

      it(`contract 3 — ends the classic verify that settles ${when}: verify_timeout`, () =>
        contained(async (bench) => {
          const { released, release } = gate();
          const job = work(released);
          const [token, profile] = [await bench.json(TOKENS), await bench.json(PERSON)];
          const strategy = new SalesloftStrategy(
            {
              ...common,
              timeout: IMPATIENT,
              tokenURL: `http://${token.host}/token`,
              profileURL: `http://${profile.host}/me`,
            },
            (_accessToken, _refreshToken, _profile, done) => {
              job.then(() => done(null, { id: 7 }), done);
            },
          );
          const outcome = await bench.login(bench.use(strategy));
          expectError(outcome, { code: 'verify_timeout', stage: 'verify' });
          release();
          await turn();
        }));

      it(`contract 3 — ends an overridden userProfile that settles ${when}: timeout`, () =>
        contained(async (bench) => {
          const { released, release } = gate();
          const job = work(released);
          class Own extends SalesloftStrategy {
            override userProfile(_token: string, done: (error?: unknown, profile?: never) => void) {
              job.then(() => done(null), done);
            }
          }
          const token = await bench.json(TOKENS);
          const strategy = new Own({
            ...common,
            verify,
            timeout: IMPATIENT,
            tokenURL: `http://${token.host}/token`,
          });
          const outcome = await bench.login(bench.use(strategy));
          expectError(outcome, { code: 'timeout', stage: 'profile' });
          release();
          await turn();
        }));
    }

    for (const place of PLACES) {
      it(`contract 3 — ends a ${place} request that is never answered: timeout`, () =>
        contained(async (bench) => {
          const { host, server, requests } = await bench.raw(() => undefined);
          const outcome = await loginWith(bench, place, host, { timeout: IMPATIENT });
          expectError(outcome, { code: 'timeout', stage: STAGES[place], host });
          // The request that was sent ahead may end a moment before the login, which then asks again.
          expect(requests()).to.be.within(1, place === 'jwks' ? 2 : 1);
          await bench.expectClosed(server);
        }));
    }

    it('RFC 9700 §4.14 — a code is not sent once the store has used up the time', () =>
      contained(async (bench) => {
        const { host, requests } = await bench.raw((socket) => socket.write(answer(TOKENS)));
        const { released, release } = gate();
        const kept = new Map<string, LoginAttempt>();
        const strategy = new SalesloftStrategy({
          ...common,
          verify,
          timeout: IMPATIENT,
          tokenURL: `http://${host}/token`,
          store: {
            begin: (_req, attempt) => void kept.set(attempt.state, attempt),
            take: async (_req, state) => {
              await released;
              return kept.get(state) ?? 'state_unknown';
            },
          },
        });
        const outcome = await bench.login(bench.use(strategy));
        expectError(outcome, { code: 'timeout', stage: 'authorize' });
        release();
        await turn();
        await turn();
        expect(requests()).to.equal(0);
      }));
  });

  describe('a browser that leaves in the middle', () => {
    /** The provider's answer after the browser has gone, and how the login ends. */
    const endings: readonly [string, (res: http.ServerResponse, body: unknown) => void, Verb][] = [
      [
        'the provider answers',
        (res, body) => {
          res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        },
        'success',
      ],
      ['the provider resets', (res) => void res.socket?.resetAndDestroy(), 'error'],
      ['the provider says nothing', () => undefined, 'error'],
    ];
    for (const place of ['token', 'profile'] as const) {
      for (const [title, end, verb] of endings) {
        it(`contract 3 — during the ${place} request, and then ${title}: one outcome`, () =>
          contained(async (bench) => {
            let asked: (res: http.ServerResponse) => void = () => undefined;
            const pending = new Promise<http.ServerResponse>((resolve) => {
              asked = resolve;
            });
            let isOver = false;
            const held = await bench.http((req, res) => {
              req.resume();
              // A GET whose connection was opened ahead is sent once more.
              if (isOver) end(res, BODIES[place]);
              else asked(res);
            });
            const well = await bench.json(place === 'token' ? PERSON : TOKENS);
            const [token, profile] = place === 'token' ? [held, well] : [well, held];
            const strategy = bench.use(
              new SalesloftStrategy({
                ...common,
                verify,
                timeout: title.endsWith('nothing') ? IMPATIENT : PATIENT,
                tokenURL: `http://${token.host}/token`,
                profileURL: `http://${profile.host}/me`,
              }),
            );
            const passport = new Passport().use(strategy as unknown as Strategy);
            const session = {};
            const outcomes: Outcome[] = [];
            const gone = gate();
            const app = await bench.http((req, res) => {
              Object.assign(req, { session });
              res.on('close', gone.release);
              const middleware: unknown = passport.authenticate(
                'salesloft',
                { session: false },
                (error: unknown, user: unknown) => {
                  outcomes.push({ verb: error ? 'error' : 'success', values: [error ?? user] });
                  res.end('done');
                },
              );
              (middleware as (...parameters: unknown[]) => void)(req, res, () => undefined);
            });

            const begun = http.get(`http://${app.host}/auth`, { agent: false });
            const [redirect] = (await once(begun, 'response')) as [http.IncomingMessage];
            redirect.resume();
            const { searchParams } = new URL(redirect.headers.location ?? '');
            const state = searchParams.get('state');
            const browser = http.get(`http://${app.host}/auth/callback?code=c-1&state=${state}`, {
              agent: false,
            });
            browser.on('error', () => undefined);
            const response = await pending;
            browser.destroy();
            await gone.released;
            isOver = true;
            end(response, BODIES[place]);
            await until(() => outcomes.length > 0);
            bench.watch(outcomes);
            expect(outcomes.map((outcome) => outcome.verb)).to.deep.equal([verb]);
          }));
      }
    }
  });
});
