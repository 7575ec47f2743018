/** A client that is made ready before its first login: connections and keys, seen from the servers. */
import { expect } from 'chai';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import nock = require('nock');
import { OAuth2Client, isOAuth2Error } from '../dist/index';
import type { ClientOptions } from '../dist/index';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from './fixtures/tls';
import {
  CALLBACK,
  CREDENTIALS,
  acmeDescription,
  acmeWith,
  closeServers,
  freePort,
  httpServer,
  pause,
  portOf,
  rejection,
  useRealSockets,
} from './support';

/** A server, its connections, and the paths it was asked for. */
async function counted(
  answer: http.RequestListener = (_req, res) => void res.end('{"keys":[]}'),
  server: http.Server = http.createServer(),
) {
  const seen: net.Socket[] = [];
  const paths: string[] = [];
  server.on('connection', (socket: net.Socket) => seen.push(socket));
  const listener: http.RequestListener = (req, res) => {
    paths.push(req.url ?? '');
    answer(req, res);
  };
  return { origin: await httpServer(listener, server), seen, paths };
}

const TOKENS = { accessToken: 'access-1', tokenType: 'Bearer', response: {} };

describe('client warm()', () => {
  useRealSockets();

  const clients: OAuth2Client[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  /** A client of a token host, a profile host and a host of keys. */
  function make(
    hosts: { token: string; profile?: string; keys?: string },
    options: Partial<ClientOptions> = {},
  ) {
    const { token, profile = token, keys } = hosts;
    const provider = acmeWith({
      idToken: keys === undefined ? 'none' : 'when present',
      endpoints: (own) => ({
        ...acmeDescription.endpoints(own),
        tokenEndpoint: `${token}/token`,
        userInfoEndpoint: `${profile}/me`,
        jwksUri: keys && `${keys}/keys`,
      }),
    });
    const client = new OAuth2Client(provider, { ...CREDENTIALS, timeout: 2000, ...options });
    clients.push(client);
    return client;
  }

  it('RFC 9112 §9.3 — opens a connection to each host, and the first login opens no other', async () => {
    const token = await counted();
    const profile = await counted();
    const client = make({ token: token.origin, profile: profile.origin });
    expect(await client.warm()).to.equal(undefined);
    expect([token.seen.length, profile.seen.length]).to.deep.equal([1, 1]);
    expect([...token.paths, ...profile.paths]).to.deep.equal([]);
    await rejection(client.clientCredentialsGrant());
    await rejection(client.fetchProfile(TOKENS));
    expect([token.paths, profile.paths]).to.deep.equal([['/token'], ['/me']]);
    expect([token.seen.length, profile.seen.length]).to.deep.equal([1, 1]);
  });

  it('opens one connection where all is at one host, and none when called again', async () => {
    const only = await counted();
    const client = make({ token: only.origin, keys: only.origin }, { scope: 'openid' });
    await Promise.all([client.warm(), client.warm()]);
    expect(await client.warm()).to.equal(undefined);
    expect(only.seen).to.have.lengthOf(1);
    expect(only.paths).to.deep.equal(['/keys']);
  });

  it('RFC 8446 §2 — waits for the end of the TLS handshake', async () => {
    const opened: net.Socket[] = [];
    const isSecured = () => Reflect.get(opened[0] as net.Socket, 'secureConnecting') === false;
    /** Of a second caller, who comes between the TCP connection and the end of the handshake. */
    let second: Promise<boolean> | undefined;
    const server = https.createServer({ cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY });
    const port = await portOf(server);
    const client = make({ token: `https://127.0.0.1:${port}` });
    const connect = https.Agent.prototype.createConnection;
    Object.assign(https.Agent.prototype, {
      createConnection(this: https.Agent, options: object, done?: () => void) {
        const trusted = { ...options, ca: TEST_ONLY_CERTIFICATE } as never;
        const socket = connect.call(this, trusted, done) as net.Socket;
        opened.push(socket);
        socket.once('connect', () => {
          second = client.warm().then(isSecured);
        });
        return socket;
      },
    });
    try {
      expect(await client.warm()).to.equal(undefined);
      expect(opened).to.have.lengthOf(1);
      expect(opened[0]).to.include({ secureConnecting: false, authorized: true });
      expect(await second, 'a second caller waits too').to.equal(true);
      expect(await client.warm(), 'a later caller does not wait').to.equal(undefined);
      expect(opened).to.have.lengthOf(1);
    } finally {
      Object.assign(https.Agent.prototype, { createConnection: connect });
    }
  });

  it('OIDC Core §10.1 — fetches the keys once, and a login that starts soon after does not', async () => {
    const token = await counted();
    const keys = await counted();
    const client = make({ token: token.origin, keys: keys.origin }, { scope: 'openid' });
    expect(await client.warm()).to.equal(undefined);
    expect(keys.paths).to.deep.equal(['/keys']);
    client.prepare(client.beginLogin({ redirectUri: CALLBACK }).attempt);
    await pause(20);
    expect(keys.paths).to.deep.equal(['/keys']);
  });

  it('OIDC Core §3.1.2.1 — asks for no keys where no login asks for an ID Token', async () => {
    const token = await counted();
    const keys = await counted();
    const client = make({ token: token.origin, keys: keys.origin });
    expect(await client.warm()).to.equal(undefined);
    expect(keys.seen).to.deep.equal([]);
  });

  it('leaves connections to the agent of an application, and fetches the keys through it', async () => {
    const token = await counted();
    const keys = await counted();
    const agent = new http.Agent();
    const client = make({ token: token.origin, keys: keys.origin }, { scope: 'openid', agent });
    expect(await client.warm()).to.equal(undefined);
    expect(token.seen).to.deep.equal([]);
    expect(keys.paths).to.deep.equal(['/keys']);
  });

  for (const leg of ['token', 'profile', 'keys'] as const) {
    it(`connection_refused — returns the error and does not reject when the host of "${leg}" is away`, async () => {
      const away = `http://127.0.0.1:${await freePort()}`;
      const there = await counted();
      const hosts = { token: there.origin, profile: there.origin, keys: there.origin };
      const error = await make({ ...hosts, [leg]: away }, { scope: 'openid' }).warm();
      expect(isOAuth2Error(error)).to.equal(true);
      expect(error).to.include({ code: 'connection_refused', provider: 'acme' });
      expect(error?.host).to.equal(new URL(away).host);
      expect(error?.stage).to.equal(leg === 'keys' ? 'id_token' : 'token');
    });
  }

  it('timeout — returns the error when a host accepts connections and never finishes the handshake', async () => {
    const silent = net.createServer();
    const port = await portOf(silent);
    const client = make({ token: `https://127.0.0.1:${port}` }, { timeout: 100 });
    expect(await client.warm()).to.include({ code: 'timeout' });
  });

  it('tls_error — returns the error of an unknown authority', async () => {
    const server = https.createServer({ cert: TEST_ONLY_CERTIFICATE, key: TEST_ONLY_KEY });
    const port = await portOf(server);
    expect(await make({ token: `https://127.0.0.1:${port}` }).warm()).to.include({
      code: 'tls_error',
    });
  });

  it('a later login is not harmed by a failed one', async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const client = make({ token: origin });
    expect(await client.warm()).to.include({ code: 'connection_refused' });
    const server = http.createServer((_req, res) => void res.end('{}'));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      expect((await rejection(client.clientCredentialsGrant())).code).to.equal(
        'unexpected_content_type',
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('client first login of a process', () => {
  useRealSockets();

  const redeem = async (client: OAuth2Client) => {
    const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
    const { state } = attempt;
    const answer = { code: 'code-1', state };
    const response = await client.validateAuthorizationResponse(answer, () => attempt);
    return await rejection(client.authorizationCodeGrant(response));
  };
  const clientOf = (token: string, profile: string) =>
    new OAuth2Client(acmeWith({}), {
      ...CREDENTIALS,
      tokenURL: `${token}/token`,
      userInfoURL: `${profile}/me`,
    });

  it('RFC 9112 §9.3 — opens the connection for the profile while the code is redeemed', async () => {
    const profile = await counted();
    let wasReady = false;
    // It answers only once the other host is connected.
    const token = await counted((_req, res) => {
      const isReady = () => profile.seen.length > 0;
      void (async () => {
        for (let round = 0; round < 200 && !isReady(); round += 1) await pause(5);
        wasReady = isReady();
        res.end();
      })();
    });
    const client = clientOf(token.origin, profile.origin);
    await redeem(client);
    expect(wasReady).to.equal(true);
    await rejection(client.fetchProfile(TOKENS));
    client.close();
    expect([token.seen.length, profile.seen.length]).to.deep.equal([1, 1]);
    expect(profile.paths).to.deep.equal(['/me']);
  });

  it('opens none for a grant that no profile follows', async () => {
    const profile = await counted();
    const token = await counted();
    const client = clientOf(token.origin, profile.origin);
    await rejection(client.refreshTokenGrant('rt-1'));
    await rejection(client.refreshTokenGrant('rt-1'));
    client.close();
    expect(token.paths).to.deep.equal(['/token', '/token']);
    expect(profile.seen).to.deep.equal([]);
  });

  it('opens nothing to a host of which a mock answers the token request', async () => {
    const profile = await counted();
    nock.activate();
    try {
      nock('http://127.0.0.1:9').post('/token').reply(400, { error: 'invalid_grant' });
      const client = clientOf('http://127.0.0.1:9', profile.origin);
      expect((await redeem(client)).code).to.equal('invalid_grant');
    } finally {
      nock.cleanAll();
      nock.restore();
    }
    await pause(20);
    expect(profile.seen).to.deep.equal([]);
    await closeServers();
  });
});
