import { Agent } from 'node:https';
import { expect } from 'chai';
import { OAuth2Client } from '../dist/client';
import { CLIENT_OPTIONS } from '../dist/client-options';
import type { ClientOptions } from '../dist/client-options';
import type { Provider } from '../dist/provider/description';
import { CALLBACK, CREDENTIALS, ORIGIN, SECRET, acme, acmeWith, thrown } from './support';
import type { AcmeOptions } from './support';

function make(
  changes: Partial<ClientOptions & AcmeOptions> = {},
  provider: Provider<AcmeOptions> = acme,
): OAuth2Client<AcmeOptions> {
  return new OAuth2Client(provider, { ...CREDENTIALS, timeout: 2000, ...changes });
}

describe('client options', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['clientID is missing', { clientID: undefined }, 'option "clientID" is required'],
    ['clientID is empty', { clientID: '' }, 'option "clientID" is required'],
    ['clientSecret is empty', { clientSecret: '' }, 'option "clientSecret" must be a non-empty'],
    ['clientSecret is a variable that was not set', { clientSecret: undefined }, 'leave it out'],
    ['an option is misspelt', { clientId: 'x' }, 'did you mean "clientID"?'],
    ['tokenURL is plain http', { tokenURL: 'http://acme.test' }, 'option "tokenURL" must be https'],
    ['an own option is of another kind', { fancy: 'yes' }, 'option "fancy" must be a boolean'],
    ['timeout is zero', { timeout: 0 }, 'option "timeout" must be a number'],
    ['timeout is text', { timeout: '10' }, 'option "timeout" must be a number'],
    ['clockTolerance is negative', { clockTolerance: -1 }, 'option "clockTolerance" must be'],
    ['clockTolerance is an hour', { clockTolerance: 3600 }, 'option "clockTolerance" must be'],
    ['assumedLifetime is zero', { assumedLifetime: 0 }, 'option "assumedLifetime" must be'],
    ['assumedLifetime is text', { assumedLifetime: '60' }, 'option "assumedLifetime" must be'],
    ['scope is a number', { scope: 7 }, 'option "scope" must be'],
    [
      'customHeaders sets Authorization',
      { customHeaders: { Authorization: 'x' } },
      'Authorization',
    ],
  ];
  for (const [title, changes, message] of cases) {
    it(`throws a TypeError when ${title}`, () => {
      const error: unknown = thrown(() => make(changes));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(/^Acme: /);
      expect((error as Error).message).to.include(message);
      expect((error as Error).message).not.to.include(SECRET);
    });
  }

  it('takes numbers at the ends of their ranges', () => {
    for (const changes of [
      { clockTolerance: 0 },
      { clockTolerance: 600 },
      { timeout: 1 },
      { timeout: 600_000 },
      { assumedLifetime: 1 },
    ]) {
      expect(() => make(changes)).not.to.throw();
    }
  });

  it('CWE-1321 — a polluted prototype lends no endpoint', () => {
    const provider = acmeWith({
      endpoints: () => ({
        authorizationEndpoint: 'https://a.test/authorize',
        tokenEndpoint: 'https://a.test/token',
      }),
    });
    Reflect.set(Object.prototype, 'userInfoEndpoint', 'https://evil.test');
    try {
      expect(make({}, provider).endpoints.userInfoEndpoint).to.equal(undefined);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'userInfoEndpoint');
    }
  });

  it('judges also endpoints that a provider derives', () => {
    const provider = acmeWith({
      endpoints: () => ({
        authorizationEndpoint: 'https://a.test',
        tokenEndpoint: 'http://a.test',
      }),
    });
    expect(thrown(() => make({}, provider)).message).to.include('"tokenEndpoint" must be https');
  });

  it('leaves the objects of the application as they are', async () => {
    const customHeaders = Object.freeze({ 'X-Trace': '1' });
    const scope = Object.freeze(['read', 'write']);
    const options = Object.freeze({ ...CREDENTIALS, scope, customHeaders, region: 'seven' });
    const copy = structuredClone(options);
    const client = new OAuth2Client(acme, options);
    const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
    await client.validateAuthorizationResponse(
      { code: 'a-code', state: attempt.state },
      () => attempt,
    );
    expect(options).to.deep.equal(copy);
  });

  it('has a fingerprint per provider, token endpoint and client id', () => {
    const fingerprints = [
      make(),
      make({ clientID: 'client-2' }),
      make({ tokenURL: `${ORIGIN}/other` }),
      make({}, acmeWith({ name: 'other' })),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(fingerprints).size).to.equal(4);
    // It is kept in every session that waits for a login.
    for (const fingerprint of fingerprints) expect(fingerprint).to.match(/^[\w-]{22}$/);
    expect(make({ scope: 'x', clientSecret: 'rotated' }).fingerprint).to.equal(fingerprints[0]);
  });

  it('RFC 6749 §2.1 — takes no secret where the provider takes public clients only', () => {
    const provider = acmeWith({ clientAuthentication: 'none' });
    const error: unknown = thrown(() => make({}, provider));
    expect(error)
      .to.be.instanceOf(TypeError)
      .with.property('message', 'Acme: takes public clients only; leave "clientSecret" out');
    expect(() => new OAuth2Client(provider, { clientID: 'client-1' })).not.to.throw();
  });

  it('have a default where the application passes none', () => {
    const client = new OAuth2Client(acme, { clientID: 'client-1' });
    expect(client.timeout).to.equal(10_000);
    expect(client.scopes()).to.deep.equal(['read']);
  });

  it('are shown to the slots, frozen, with the name of the provider', () => {
    const seen: object[] = [];
    const provider = acmeWith({
      requestParameters: (_request, context) => {
        seen.push(context);
        return {};
      },
    });
    make({ region: 'seven' }, provider).beginLogin({ redirectUri: CALLBACK });
    expect(seen[0]).to.have.property('provider', 'acme');
    expect(seen[0]).to.have.nested.property('options.region', 'seven');
    expect(seen[0]).to.have.nested.property('options.clientSecret', SECRET);
    expect(seen[0]).to.have.nested.property('endpoints.tokenEndpoint', `${ORIGIN}/token`);
    for (const part of [seen[0], ...Object.values(seen[0] ?? {})] as unknown[]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
  });

  it('are known by name, every one', () => {
    const all: Required<ClientOptions> = {
      clientID: 'client-1',
      clientSecret: SECRET,
      scope: 'read',
      offline: true,
      timeout: 1000,
      agent: new Agent(),
      clockTolerance: 5,
      assumedLifetime: 60,
      customHeaders: {},
    };
    expect(CLIENT_OPTIONS).to.have.members(Object.keys(all));
    expect(() => new OAuth2Client(acme, all)).not.to.throw();
  });
});
