import { expect } from 'chai';
import { buildAuthorizationRequest } from '../../dist/protocol/authorization-request';
import type { AuthorizationRequest } from '../../dist/protocol/authorization-request';

const REQUEST: AuthorizationRequest = {
  authorizationEndpoint: new URL('https://acme.test/authorize'),
  clientID: 'client-1',
  redirectUri: 'https://app.test/callback?from=acme',
  scope: ['openid', 'read'],
  attempt: {
    state: 'state-1',
    codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    nonce: 'nonce-1',
  },
};

/** The query as the browser sends it, in which each name stands once. */
function query(changes: Partial<AuthorizationRequest> = {}): Record<string, string> {
  const built = buildAuthorizationRequest({ ...REQUEST, ...changes });
  const { searchParams } = new URL(built.url);
  // The questions of the login are read from this one.
  expect([...built.query]).to.deep.equal([...searchParams]);
  expect([...searchParams.keys()]).to.have.lengthOf(new Set(searchParams.keys()).size);
  return Object.fromEntries(searchParams);
}

const PROTOCOL = {
  response_type: 'code',
  client_id: 'client-1',
  redirect_uri: 'https://app.test/callback?from=acme',
  scope: 'openid read',
  state: 'state-1',
  nonce: 'nonce-1',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
};

describe('authorization request', () => {
  it('RFC 6749 §4.1.1 — consists of the parameters of the protocol', () => {
    expect(query()).to.deep.equal(PROTOCOL);
  });

  it('RFC 6749 §3.1 — goes to the endpoint, with its port and path', () => {
    const authorizationEndpoint = new URL('http://127.0.0.1:4000/oauth2/authorize?tenant=a');
    const { url } = buildAuthorizationRequest({ ...REQUEST, authorizationEndpoint });
    expect(url.split('&')[0]).to.equal('http://127.0.0.1:4000/oauth2/authorize?tenant=a');
  });

  it('RFC 7636 §4.3 — sends the challenge, never the verifier', () => {
    const { url, query: sent } = buildAuthorizationRequest(REQUEST);
    expect(url).not.to.include(REQUEST.attempt.codeVerifier);
    expect([...sent.values()]).not.to.include(REQUEST.attempt.codeVerifier);
  });

  it('RFC 6749 §4.1.1 — lets no extra parameter replace or double one of the protocol', () => {
    const parameters = Object.fromEntries(Object.keys(PROTOCOL).map((name) => [name, 'mine']));
    expect(query({ parameters })).to.deep.equal(PROTOCOL);
  });

  it('RFC 6749 §3.1 — keeps the query of the endpoint, except names of the protocol', () => {
    const authorizationEndpoint = new URL(
      'https://acme.test/authorize?tenant=a%20b&state=fixed&scope=all&scope=none&nonce=0',
    );
    expect(query({ authorizationEndpoint })).to.deep.equal({ tenant: 'a b', ...PROTOCOL });
  });

  it('RFC 6749 §3.3 — leaves scope out when none is asked for, also one of an extra', () => {
    expect(query({ scope: [], parameters: { scope: 'admin' } })).not.to.have.property('scope');
  });

  it('OIDC Core §3.1.2.1 — leaves nonce out without one, also one of an extra', () => {
    const attempt = { ...REQUEST.attempt, nonce: undefined };
    expect(query({ attempt, parameters: { nonce: 'mine' } })).not.to.have.property('nonce');
  });

  it('adds further strings, lists, numbers and booleans, and nothing of another type', () => {
    const parameters = {
      prompt: 'login',
      max_age: 0,
      display: true,
      acr_values: ['a', 'b'],
      object: { a: 1 },
      nothing: null,
      absent: undefined,
      method: () => 'x',
    };
    expect(query({ parameters })).to.deep.equal({
      prompt: 'login',
      max_age: '0',
      display: 'true',
      acr_values: 'a b',
      ...PROTOCOL,
    });
  });

  it('RFC 9101 §5 — sends no request object, neither from an extra nor from the endpoint', () => {
    const authorizationEndpoint = new URL(
      'https://acme.test/authorize?request=a.b.c&request=d&request_uri=https%3A%2F%2Fevil.test%2F',
    );
    expect(query({ authorizationEndpoint })).to.deep.equal(PROTOCOL);
    const parameters = { request: 'a.b.c', request_uri: 'urn:ietf:params:oauth:request_uri:x' };
    expect(query({ parameters })).to.deep.equal(PROTOCOL);
    expect(query({ authorizationEndpoint, parameters })).to.deep.equal(PROTOCOL);
  });

  it('encodes what a value could break out with', () => {
    const { login_hint: hint } = query({ parameters: { login_hint: 'zoë&state=x#y@example.com' } });
    expect(hint).to.equal('zoë&state=x#y@example.com');
  });
});
