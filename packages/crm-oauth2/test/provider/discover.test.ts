/** Discovery documents over real sockets: read, and refused. */
import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { discover } from '../../dist/provider/index';
import type { DiscoverOptions } from '../../dist/provider/index';
import { httpServer, openSockets, pause, rejection, useRealSockets } from '../support';

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

  it('OpenID Connect Discovery §4.1 — asks with GET for JSON, and leaves no connection open', async () => {
    const asked: unknown[] = [];
    const issuer: string = await answering(({ method, headers }, response) => {
      asked.push([method, headers.accept, headers['user-agent']]);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(documentOf(issuer)));
    });
    await discover(issuer);
    expect(asked).to.deep.equal([['GET', 'application/json', 'crm-oauth2']]);
    for (let tries = 0; openSockets() > 0 && tries < 100; tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the server notices the end a moment later
      await pause(10);
    }
    expect(openSockets()).to.equal(0);
  });

  it('reads a document of 128 KiB', async () => {
    const bytes = 128 * 1024;
    const issuer: string = await answering((_request, response) => {
      const body = JSON.stringify(documentOf(issuer));
      response.setHeader('content-type', 'application/json').end(body.padEnd(bytes));
    });
    expect(await discover(issuer)).to.include({ issuer });
  });

  for (const [title, change, named] of [
    ['another issuer', () => ({ issuer: 'https://evil.test' }), 'https://evil.test'],
    ['the issuer with a slash more', (issuer: string) => ({ issuer: `${issuer}/` }), /:\d+\/$/],
    ['no issuer', () => ({ issuer: undefined }), 'of another issuer: none'],
    ['an issuer that is a list', (issuer: string) => ({ issuer: [issuer] }), 'issuer: none'],
  ] as const) {
    it(`OpenID Connect Discovery §4.3 — refuses a document that names ${title}`, async () => {
      const error = await rejection(discover(await provider(change)));
      expect(error).to.include({ code: 'issuer_mismatch', stage: 'discover' });
      expect(error.message)
        .to.include('the document is of another issuer: ')
        .and.match(named instanceof RegExp ? named : new RegExp(`${named}$`));
      expect(error.hint).to.contain('exactly as the provider spells it');
    });
  }

  const lacks = 'the document lacks authorization_endpoint or token_endpoint';
  for (const [title, change, reason] of [
    [
      'an http endpoint',
      () => ({ token_endpoint: 'http://plain.test/token' }),
      'the document: option "token_endpoint" must be https',
    ],
    [
      'an http key set',
      () => ({ jwks_uri: 'http://plain.test/keys' }),
      'the document: option "jwks_uri" must be https',
    ],
    [
      'an endpoint with user info',
      () => ({ userinfo_endpoint: 'https://a:b@plain.test/me' }),
      '"userinfo_endpoint" must have neither user info',
    ],
    [
      'an endpoint that is not a URL',
      () => ({ revocation_endpoint: '/revoke' }),
      '"revocation_endpoint" must be an absolute URL',
    ],
    [
      'an endpoint that is a number',
      () => ({ token_endpoint: 5 }),
      '"token_endpoint" must be an absolute URL',
    ],
    ['no token endpoint', () => ({ token_endpoint: undefined }), lacks],
    ['no authorization endpoint', () => ({ authorization_endpoint: undefined }), lacks],
  ] as const) {
    it(`RFC 8414 §2 — refuses a document with ${title}`, async () => {
      const error = await rejection(discover(await provider(change)));
      expect(error.code).to.equal('invalid_discovery_document');
      expect(error.message).to.include(reason);
    });
  }

  for (const [title, code, reason, listener] of [
    [
      'a document above 128 KiB',
      'response_too_large',
      'the document exceeds 131072 bytes',
      ((_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end('{}'.padEnd(128 * 1024 + 1));
      }) as RequestListener,
    ],
    [
      'a list',
      'invalid_discovery_document',
      'the document is not a JSON object',
      ((_request, response) => {
        response.setHeader('content-type', 'application/json').end('[]');
      }) as RequestListener,
    ],
    [
      'a web page',
      'unexpected_content_type',
      'text/html',
      ((_request, response) => {
        response.setHeader('content-type', 'text/html').end('<html>');
      }) as RequestListener,
    ],
    [
      'a redirect',
      'unexpected_redirect',
      '',
      ((_request, response) => {
        response.writeHead(302, { location: 'https://evil.test/' }).end();
      }) as RequestListener,
    ],
    [
      'a failure',
      'provider_unavailable',
      '503',
      ((_request, response) => {
        response.writeHead(503).end();
      }) as RequestListener,
    ],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const error = await rejection(discover(await answering(listener)));
      expect(error).to.include({ code, stage: 'discover' });
      expect(error.message).to.include(reason);
      expect(error.host).to.match(/^127\.0\.0\.1:\d+$/);
    });
  }

  it('ends by its timeout', async () => {
    const silent = await answering(() => {});
    const error = await rejection(discover(silent, { timeout: 100 }));
    expect(error).to.include({ code: 'timeout', stage: 'discover' });
  });

  for (const [title, issuer, options, message] of [
    ['plain http', 'http://acme.test', {}, 'discover: option "issuer" must be https'],
    ['no URL', 'acme.test', {}, 'discover: option "issuer" must be an absolute URL'],
    ['a query', 'https://acme.test?a', {}, 'discover: "issuer" must have no query'],
    ['a fragment', 'https://a.test#b', {}, 'discover: option "issuer" must have neither'],
    ['no time', 'https://a.test', { timeout: 0 }, 'discover: option "timeout" must be'],
    ['no agent', 'https://a.test', { agent: {} }, 'discover: option "agent" must be'],
  ] as const) {
    it(`TypeError — for an option that is ${title}`, async () => {
      const error = await rejection(discover(issuer, options as DiscoverOptions));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include(message);
    });
  }
});
