/** Discovery documents over real sockets: read, and refused. */
import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { discover } from '../../dist/provider/index';
import { httpServer, rejection, useRealSockets } from '../support';

const PATH = '/.well-known/openid-configuration';

const documentOf = (issuer: string): Record<string, unknown> => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/me`,
  revocation_endpoint: `${issuer}/revoke`,
  introspection_endpoint: `${issuer}/introspect`,
  jwks_uri: `${issuer}/keys`,
  end_session_endpoint: `${issuer}/logout`,
  registration_endpoint: 'http://ignored.test/',
  id_token_signing_alg_values_supported: ['RS256', 'none'],
});

/** A provider that publishes a document; its issuer. */
async function provider(
  change: (issuer: string) => Record<string, unknown> = () => ({}),
  path = PATH,
): Promise<string> {
  const issuer = await httpServer((request, response) => {
    const body = JSON.stringify({ ...documentOf(issuer), ...change(issuer) });
    const status = request.url === path ? 200 : 404;
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  return issuer;
}

const answering = (listener: RequestListener) => httpServer(listener);

describe('discover', () => {
  useRealSockets();

  it('OpenID Connect Discovery §4.2 — turns the document into endpoints', async () => {
    const issuer = await provider();
    const endpoints = await discover(issuer);
    expect(endpoints).to.deep.equal({
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/token`,
      userInfoEndpoint: `${issuer}/me`,
      revocationEndpoint: `${issuer}/revoke`,
      introspectionEndpoint: `${issuer}/introspect`,
      jwksUri: `${issuer}/keys`,
      endSessionEndpoint: `${issuer}/logout`,
    });
    expect(Object.isFrozen(endpoints)).to.equal(true);
  });

  it('RFC 9207 §3 — says when the server names itself in each authorization response', async () => {
    for (const [promise, fact] of [
      [true, true],
      [false, undefined],
      ['true', undefined],
    ] as const) {
      const issuer = await provider(() => ({
        authorization_response_iss_parameter_supported: promise,
      }));
      expect((await discover(issuer)).authorizationResponseIssParameterSupported).to.equal(fact);
    }
  });

  it('OpenID Connect Discovery §4.1 — removes the slash at the end of the issuer, and keeps its path', async () => {
    const origin = await provider((issuer) => ({ issuer: `${issuer}/tenant/` }), `/tenant${PATH}`);
    expect((await discover(`${origin}/tenant/`)).issuer).to.equal(`${origin}/tenant/`);
  });

  it('leaves out the endpoints that the document lacks', async () => {
    const issuer = await provider(() => ({
      revocation_endpoint: undefined,
      introspection_endpoint: undefined,
      end_session_endpoint: undefined,
    }));
    expect(Object.keys(await discover(issuer))).to.have.members([
      'issuer',
      'authorizationEndpoint',
      'tokenEndpoint',
      'userInfoEndpoint',
      'jwksUri',
    ]);
  });

  for (const [title, change] of [
    ['another issuer', () => ({ issuer: 'https://evil.test' })],
    ['the issuer with a slash more', (issuer: string) => ({ issuer: `${issuer}/` })],
    ['no issuer', () => ({ issuer: undefined })],
    ['an issuer that is a list', (issuer: string) => ({ issuer: [issuer] })],
  ] as const) {
    it(`OpenID Connect Discovery §4.3 — refuses a document that names ${title}`, async () => {
      const error = await rejection(discover(await provider(change)));
      expect(error).to.include({ code: 'issuer_mismatch', stage: 'discover' });
      expect(error.hint).to.contain('exactly as the provider spells it');
    });
  }

  for (const [title, change] of [
    ['an http endpoint', () => ({ token_endpoint: 'http://plain.test/token' })],
    ['an http key set', () => ({ jwks_uri: 'http://plain.test/keys' })],
    ['an endpoint with user info', () => ({ userinfo_endpoint: 'https://a:b@plain.test/me' })],
    ['an endpoint that is not a URL', () => ({ revocation_endpoint: '/revoke' })],
    ['an endpoint that is a number', () => ({ token_endpoint: 5 })],
    ['no token endpoint', () => ({ token_endpoint: undefined })],
    ['no authorization endpoint', () => ({ authorization_endpoint: undefined })],
  ] as const) {
    it(`RFC 8414 §2 — refuses a document with ${title}`, async () => {
      const error = await rejection(discover(await provider(change)));
      expect(error.code).to.equal('invalid_discovery_document');
    });
  }

  for (const [title, code, listener] of [
    [
      'a document above 128 KiB',
      'response_too_large',
      ((_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ issuer: 'x'.repeat(130 * 1024) }));
      }) as RequestListener,
    ],
    [
      'a list',
      'invalid_discovery_document',
      ((_request, response) => {
        response.setHeader('content-type', 'application/json').end('[]');
      }) as RequestListener,
    ],
    [
      'a web page',
      'unexpected_content_type',
      ((_request, response) => {
        response.setHeader('content-type', 'text/html').end('<html>');
      }) as RequestListener,
    ],
    [
      'a redirect',
      'unexpected_redirect',
      ((_request, response) => {
        response.writeHead(302, { location: 'https://evil.test/' }).end();
      }) as RequestListener,
    ],
    [
      'a failure',
      'provider_unavailable',
      ((_request, response) => {
        response.writeHead(503).end();
      }) as RequestListener,
    ],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const error = await rejection(discover(await answering(listener)));
      expect(error).to.include({ code, stage: 'discover' });
      expect(error.host).to.match(/^127\.0\.0\.1:\d+$/);
    });
  }

  it('ends by its timeout', async () => {
    const silent = await answering(() => {});
    const error = await rejection(discover(silent, { timeout: 100 }));
    expect(error).to.include({ code: 'timeout', stage: 'discover' });
  });

  it('refuses an issuer that is plain http, or has a query or a fragment', async () => {
    for (const issuer of [
      'http://acme.test',
      'acme.test',
      'https://acme.test?a',
      'https://a.test#b',
    ]) {
      let thrown: unknown;
      await discover(issuer).catch((error: unknown) => (thrown = error));
      expect(thrown, issuer).to.be.instanceOf(TypeError);
    }
  });
});
