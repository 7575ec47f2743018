/**
 * The provider, in a process of its own: tokens, profiles, ID Tokens and keys in the forms of the
 * providers and of the peers, as cheaply as possible, so that the app is what is measured.
 *
 * A code says itself what was asked for. ID Tokens are signed when the browser is sent back, before
 * the callback is timed: an RSA signature costs more than a whole login in the app.
 */
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { portOf } from './app-parts';
import { serve } from './rpc';

/** A code says itself what was asked for. */
export interface CodeDetails {
  n: string;
  challenge?: string | undefined;
  nonce?: string | undefined;
  clientID: string;
  openid: boolean;
  origin: string;
  isSalesforce: boolean;
}

type Parameters = Record<string, string | undefined>;

export interface Tls {
  key: string;
  cert: string;
}

export interface ListenOptions {
  tls?: Tls | undefined;
  /** Milliseconds after which an idle connection is closed. */
  keepAlive: number;
  keys?: number;
  ports?: number;
}

const signAsync = promisify(sign);
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ORGANIZATION = '00D000000000001AAA';
const DISCOVERY = '/.well-known/openid-configuration';
const PERSON = { first_name: 'Zoe', last_name: 'Winter', email: 'zoe@example.com' };

const base64url = (value: string) => Buffer.from(value).toString('base64url');
const sha256 = (value: string) => createHash('sha256').update(value).digest();
const accessTokenOf = (n: number | string) => `at-${n}-${'x'.repeat(48)}`;
const readCode = (code = '') =>
  JSON.parse(Buffer.from(code.split('.')[1] ?? '', 'base64url').toString()) as CodeDetails;
/** Each client has its own; another one, and a code of another origin, are refused. */
const secretOf = (clientID: string) => `the secret of ${clientID}`;
const issuerOf = (origin: string, isSalesforce: boolean) => (isSalesforce ? origin : `${origin}/`);

/** The key in use comes last; of the others only the form counts. */
function keySet(size: number): string {
  const real = { ...publicKey.export({ format: 'jwk' }), kid: 'in-use', alg: 'RS256', use: 'sig' };
  const others = Array.from({ length: size - 1 }, (_, index) => {
    const modulus = randomBytes(256);
    modulus.writeUInt8(modulus.readUInt8(0) | 0x80, 0);
    modulus.writeUInt8(modulus.readUInt8(255) | 1, 255);
    return { ...real, n: modulus.toString('base64url'), kid: `other-${index}` };
  });
  return JSON.stringify({ keys: [...others, real] });
}

const HEADER = base64url(JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: 'in-use' }));

async function idToken(code: string): Promise<string> {
  const { n, nonce, clientID, origin, isSalesforce } = readCode(code);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuerOf(origin, isSalesforce),
    sub: isSalesforce ? `${origin}/id/${ORGANIZATION}/005${n}AAA` : `auth0|${n}`,
    aud: clientID,
    iat: now,
    exp: now + 36_000,
    nonce,
    at_hash: sha256(accessTokenOf(n)).subarray(0, 16).toString('base64url'),
    name: 'Zoe Winter',
    nickname: 'zoe',
    given_name: 'Zoe',
    family_name: 'Winter',
    email: 'zoe@example.com',
    email_verified: true,
    picture: 'https://example.com/zoe.png',
  };
  const input = `${HEADER}.${base64url(JSON.stringify(claims))}`;
  return `${input}.${(await signAsync('RSA-SHA256', Buffer.from(input), privateKey)).toString('base64url')}`;
}

function tokenResponse(
  parameters: Parameters,
  asked: string,
  idTokens: Map<string, string>,
): object | undefined {
  const common = { token_type: 'Bearer', refresh_token: `rt-${'y'.repeat(48)}` };
  if (parameters.grant_type === 'refresh_token') {
    return { ...common, access_token: accessTokenOf(Date.now()), expires_in: 7200 };
  }
  const {
    code = '',
    code_verifier: verifier,
    client_id: client,
    client_secret: secret,
  } = parameters;
  const { n, challenge, clientID, origin, isSalesforce } = readCode(code);
  if (origin !== asked || client !== clientID || secret !== secretOf(clientID)) return undefined;
  if (challenge && sha256(verifier ?? '').toString('base64url') !== challenge) return undefined;
  const tokens = { ...common, access_token: accessTokenOf(n), id_token: idTokens.get(code) };
  idTokens.delete(code);
  if (!isSalesforce) return { ...tokens, expires_in: 7200, scope: 'openid profile email' };
  const id = `${origin}/id/${ORGANIZATION}/005${n}AAA`;
  const issuedAt = String(Date.now());
  return {
    ...tokens,
    scope: 'openid id profile email',
    instance_url: origin,
    id,
    issued_at: issuedAt,
    signature: createHmac('sha256', secret ?? '')
      .update(id + issuedAt)
      .digest('base64'),
  };
}

/** Answers of GET, by path; `n` is the person of the access token. */
function resource(
  path: string,
  n: string,
  origin: string,
  keys: string,
): object | string | undefined {
  if (path.endsWith('/me.json')) {
    return {
      data: {
        id: Number(n),
        guid: `guid-${n}`,
        name: 'Zoe Winter',
        ...PERSON,
        job_role: 'sales_development_rep',
        active: true,
        time_zone: 'Europe/Berlin',
        team_admin: false,
        locale_utc_offset: 60,
        team: { id: 7, _href: `${origin}/v2/team` },
      },
    };
  }
  if (path === '/userinfo') {
    const sub = `auth0|${n}`;
    return { sub, user_id: sub, name: 'Zoe Winter', nickname: 'zoe', email: PERSON.email };
  }
  if (path.startsWith('/id/00D')) {
    return {
      id: `${origin}${path}`,
      asserted_user: true,
      user_id: `005${n}AAA`,
      organization_id: ORGANIZATION,
      username: 'zoe@example.com',
      display_name: 'Zoe Winter',
      ...PERSON,
      photos: { picture: `${origin}/photo/F`, thumbnail: `${origin}/photo/T` },
      urls: { users: `${origin}/services/data/v{version}/chatter/users` },
      active: true,
      user_type: 'STANDARD',
      language: 'en_US',
    };
  }
  if (path.endsWith('/me/photo')) return { standardEmailPhotoUrl: `${origin}/photo/F` };
  if (path.endsWith('/jwks.json') || path === '/id/keys') return keys;
  if (path === DISCOVERY) {
    return {
      issuer: issuerOf(origin, false),
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      userinfo_endpoint: `${origin}/userinfo`,
      jwks_uri: `${origin}/.well-known/jwks.json`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
  }
  return undefined;
}

function parametersOf(body: string, type?: string, authorization?: string): Parameters {
  const parameters = type?.includes('json')
    ? (JSON.parse(body) as Parameters)
    : (Object.fromEntries(new URLSearchParams(body)) as Parameters);
  if (authorization?.startsWith('Basic ')) {
    const pair = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
    const [client, secret] = pair.map((text) => decodeURIComponent(text.replaceAll('+', ' ')));
    parameters.client_id ??= client;
    parameters.client_secret ??= secret;
  }
  return parameters;
}

/** One listener: what one subject talks to, at one port or at several, and what is counted of it. */
class Listener {
  counts = { requests: 0, connections: 0, handshakes: 0, resumed: 0, open: 0 };
  idTokens = new Map<string, string>();
  readonly servers: (http.Server | https.Server)[];
  readonly #keys: string;
  readonly #protocol: string;

  constructor({ tls, keepAlive, keys = 1, ports = 1 }: ListenOptions) {
    this.#keys = keySet(keys);
    this.#protocol = tls ? 'https' : 'http';
    const handler: RequestListener = (req, res) => this.#answer(req, res);
    this.servers = Array.from({ length: ports }, () => {
      const server = tls ? https.createServer(tls, handler) : http.createServer(handler);
      server.keepAliveTimeout = keepAlive;
      server.on('connection', (socket: Socket) => {
        this.counts.connections += 1;
        this.counts.open += 1;
        socket.on('close', () => (this.counts.open -= 1));
      });
      server.on('secureConnection', (socket: TLSSocket) => {
        this.counts.handshakes += 1;
        if (socket.isSessionReused()) this.counts.resumed += 1;
      });
      return server;
    });
  }

  /** @returns the ports, the first of which is the name of this listener */
  async listen(): Promise<number[]> {
    return await Promise.all(
      this.servers.map(async (server) => await portOf(server.listen(0, '127.0.0.1'))),
    );
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    this.counts.requests += 1;
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const [path = '', query = ''] = (req.url ?? '').split('?');
      const { authorization, host, 'content-type': type } = req.headers;
      const origin = `${this.#protocol}://${host}`;
      let answer: object | string | undefined;
      if (req.method === 'POST') {
        const parameters = parametersOf(Buffer.concat(chunks).toString(), type, authorization);
        answer = tokenResponse(parameters, origin, this.idTokens);
      } else {
        const [, n = '0'] = /at-(\d+)-/.exec(authorization ?? query) ?? [];
        answer = resource(path, n, origin, this.#keys);
      }
      const body =
        typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: 'invalid_grant' });
      res.writeHead(answer === undefined ? 400 : 200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        // Said by ourselves, so that Node does not add when it will close: providers do not say.
        connection: 'keep-alive',
      });
      res.end(body);
    });
  }
}

const listeners = new Map<number, Listener>();

function listenerAt(port: number): Listener {
  const listener = listeners.get(port);
  if (listener === undefined) throw new Error(`nothing listens at ${port}`);
  return listener;
}

const handlers = {
  /** @returns the ports; the first one is the name of the listener */
  async listen(options: ListenOptions) {
    const listener = new Listener(options);
    const ports = await listener.listen();
    const [name = 0] = ports;
    listeners.set(name, listener);
    return ports;
  },
  async sign({ port, codes }: { port: number; codes: string[] }) {
    const { idTokens } = listenerAt(port);
    await Promise.all(
      codes
        .filter((code) => readCode(code).openid)
        .map(async (code) => idTokens.set(code, await idToken(code))),
    );
  },
  counts: ({ port }: { port: number }) => listenerAt(port).counts,
};

export type ProviderHandlers = typeof handlers;
export type Counts = Listener['counts'];

serve(handlers);
