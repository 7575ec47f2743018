/** Descriptions: defaults, freezing, and the algorithms that are refused. */
import { expect } from 'chai';
import { defineProvider } from '../../dist/provider/index';
import type { IdTokenAlgorithm, ProviderDescription } from '../../dist/provider/index';
import { OAuth2Client } from '../../dist/index';
import { CREDENTIALS, acme } from '../support';

const MINIMAL: ProviderDescription = {
  name: 'plain',
  title: 'Plain',
  endpoints: () => ({
    authorizationEndpoint: 'https://plain.test/authorize',
    tokenEndpoint: 'https://plain.test/token',
  }),
};

describe('provider descriptions', () => {
  it('need a name, a title and two endpoints', () => {
    const plain = defineProvider(MINIMAL);
    expect(plain).to.include({
      tokenRequestFormat: 'form',
      scopeInTokenRequests: true,
      clientAuthentication: 'client_secret_post',
      idToken: 'none',
    });
    expect(plain.idTokenAlgorithms).to.deep.equal(['RS256']);
    expect(new OAuth2Client(plain, CREDENTIALS).scopes()).to.deep.equal([]);
  });

  it('ask UserInfo for the profile, unless the ID Token names the person', () => {
    const { profileRequest } = defineProvider(MINIMAL);
    const tokens = { accessToken: 'a', tokenType: 'Bearer', response: {} };
    const context = (userInfoEndpoint?: string) => ({
      provider: 'plain',
      options: CREDENTIALS,
      endpoints: { ...MINIMAL.endpoints({}), userInfoEndpoint },
    });
    const url = 'https://plain.test/me';
    const person = { iss: 'i', sub: 's' };
    expect(profileRequest({ ...tokens, claims: person }, context(url))).to.deep.equal({ url });
    const named = { ...tokens, claims: { ...person, name: 'Zoë' } };
    expect(profileRequest(named, context(url))).to.equal(undefined);
    expect(profileRequest(tokens, context())).to.equal(undefined);
  });

  it('do not change once they are defined', () => {
    expect(Object.isFrozen(acme)).to.equal(true);
    for (const name of [
      'options',
      'hints',
      'scope',
      'refusals',
      'meanings',
      'idTokenAlgorithms',
    ] as const) {
      expect(Object.isFrozen(acme[name]), name).to.equal(true);
    }
    expect(() => Object.assign(acme, { idToken: 'none' })).to.throw(TypeError);
    expect(() => Object.assign(acme.hints, { invalid_grant: 'x' })).to.throw(TypeError);
  });

  it('leave the given object as it is', () => {
    const description = { ...MINIMAL };
    defineProvider(description);
    expect(Object.isFrozen(description)).to.equal(false);
    expect(Object.isFrozen(description.endpoints)).to.equal(false);
    expect(description).not.to.have.property('scope');
  });

  for (const algorithm of ['none', 'HS256', 'HS512', 'rs256', 'RS1', 'toString', '']) {
    it(`RFC 8725 §3.1 — refuse the algorithm "${algorithm}"`, () => {
      const idTokenAlgorithms = ['RS256', algorithm] as IdTokenAlgorithm[];
      expect(() => defineProvider({ ...MINIMAL, idTokenAlgorithms })).to.throw(
        TypeError,
        'Plain: idTokenAlgorithms must name asymmetric algorithms, of RS256, ',
      );
    });
  }

  it('RFC 8725 §3.1 — refuse an empty list of algorithms', () => {
    expect(() => defineProvider({ ...MINIMAL, idTokenAlgorithms: [] })).to.throw(TypeError);
  });

  it('OIDC Core §3.1.3.7 — refuse a question whose answer is not compared', () => {
    const both = 'Plain: checkIdToken compares the boundParameters; describe both or neither';
    const checkIdToken = () => {};
    const boundParameters = ['organization'];
    expect(() => defineProvider({ ...MINIMAL, boundParameters })).to.throw(TypeError, both);
    expect(() => defineProvider({ ...MINIMAL, checkIdToken })).to.throw(TypeError, both);
    defineProvider({ ...MINIMAL, boundParameters, checkIdToken });
  });

  it('keep a default in place of `undefined`', () => {
    const undefinedFields = { clientAuthentication: undefined, scope: undefined, hints: undefined };
    expect(defineProvider({ ...MINIMAL, ...undefinedFields })).to.deep.equal(
      defineProvider(MINIMAL),
    );
  });

  it('RFC 6749 §2.3.1 — take public clients only where they say `none`', () => {
    const plain = defineProvider({ ...MINIMAL, clientAuthentication: 'none' });
    expect(() => new OAuth2Client(plain, CREDENTIALS)).to.throw(
      TypeError,
      'Plain: takes public clients only; leave "clientSecret" out',
    );
    expect(new OAuth2Client(plain, { clientID: 'public' }).clientID).to.equal('public');
  });
});
