import { expect } from 'chai';
import { profileOf } from '../dist/client-profile';
import { Problem } from '../dist/errors/problem';
import type { TokenSet } from '../dist/protocol/token-set';
import type { ProfileContext } from '../dist/provider/description';
import type { Profile } from '../dist/provider/standard-claims';
import { ORIGIN, acmeWith, thrown } from './support';

const TOKENS: TokenSet = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };
const CLAIMS = { iss: `${ORIGIN}/`, sub: 'zoe', name: 'Zoe' };
const context = {
  provider: 'acme',
  options: { clientID: 'client-1' },
  endpoints: { authorizationEndpoint: ORIGIN, tokenEndpoint: ORIGIN },
};

/** The profile, and the arguments of `mapProfile`. */
function map(
  answer: unknown,
  tokens: Partial<TokenSet> = {},
  id: unknown = 'zoe',
): { profile: Profile; json: unknown; seen: ProfileContext } {
  let called: [unknown, ProfileContext] | undefined;
  const provider = acmeWith({
    mapProfile: (json, seen) => {
      called = [json, seen];
      return { provider: 'acme', id, displayName: '' } as Profile;
    },
  });
  const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const headers = { 'content-type': 'application/json' };
  const response = answer === undefined ? undefined : { status: 200, headers, body };
  const profile = profileOf(provider, context, { ...TOKENS, ...tokens }, response);
  const [json, seen] = called ?? [];
  return { profile, json, seen: seen as ProfileContext };
}

describe('client profile', () => {
  it('is mapped from the answer, with its text, the tokens and the claims', () => {
    const { profile, json, seen } = map('{ "sub": "zoe" }', { claims: CLAIMS });
    expect(profile.id).to.equal('zoe');
    expect(json).to.deep.equal({ sub: 'zoe' });
    expect(seen).to.deep.include({ ...context, raw: '{ "sub": "zoe" }', claims: CLAIMS });
    expect(seen.tokens).to.include({ accessToken: 'at-1' });
  });

  it('is mapped from a copy of the claims where no one was asked', () => {
    const { json, seen } = map(undefined, { claims: CLAIMS });
    expect(json).to.deep.equal(CLAIMS);
    expect(json).not.to.equal(CLAIMS);
    expect(seen.raw).to.equal(JSON.stringify(CLAIMS));
  });

  it('is mapped from nothing where there are no claims either', () => {
    const { json, seen } = map(undefined);
    expect(json).to.deep.equal({});
    expect(seen.raw).to.equal('{}');
    expect(seen.claims).to.equal(undefined);
  });

  for (const [title, answer] of [
    ['the same person', { sub: 'zoe' }],
    ['a person without a sub', { name: 'Zoe' }],
    ['a list', [{ sub: 'eve' }]],
  ] as const) {
    it(`OIDC Core §5.3.2 — takes ${title}`, () => {
      expect(map(answer, { claims: CLAIMS }).profile.id).to.equal('zoe');
    });
  }

  for (const sub of ['eve', 'Zoe', '', 7, null, ['zoe']]) {
    it(`OIDC Core §5.3.2 — refuses the person ${JSON.stringify(sub)}: subject_mismatch`, () => {
      const problem: unknown = thrown(() => map({ sub }, { claims: CLAIMS }));
      expect(problem).to.be.instanceOf(Problem);
      expect(problem).to.include({
        code: 'subject_mismatch',
        message: 'the profile is of another person',
      });
    });
  }

  it('takes any person where no ID Token names one', () => {
    expect(map({ sub: 'eve' }).profile.id).to.equal('zoe');
  });

  for (const id of ['', undefined, null, 7, {}]) {
    it(`refuses a profile whose id is ${JSON.stringify(id)}: invalid_profile`, () => {
      // The default of the helper must not stand in for the value.
      const problem: unknown = thrown(() => map({ sub: 'zoe' }, {}, id ?? null));
      expect(problem).to.include({
        code: 'invalid_profile',
        message: 'the profile has no id',
      });
    });
  }

  it('RFC 9700 §4.3 — shows no access token that an answer repeats', () => {
    const answer = {
      status: 200,
      headers: { 'content-type': 'text/x; echo=at-of-zoe' },
      body: '<title>no at-of-zoe here</title>',
    };
    const tokens = { ...TOKENS, accessToken: 'at-of-zoe' };
    const problem = thrown(() => profileOf(acmeWith({}), context, tokens, answer));
    expect(problem.code).to.equal('unexpected_content_type');
    expect(problem.message).to.equal('expected JSON, received text/x "no [redacted] here"');
  });
});
