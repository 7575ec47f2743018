/** How a table of a provider's words is read. */
import { expect } from 'chai';
import { meaningOf, withRedirectUri } from '../../dist/errors/meanings';
import type { Meaning } from '../../dist/errors/meanings';
import { Problem } from '../../dist/errors/problem';
import { providerCode } from '../../dist/errors/provider-codes';

const MEANINGS: readonly Meaning[] = [
  { error: 'access_denied', says: /^service not found/i, code: providerCode('unknown_audience') },
  { error: 'access_denied', stages: ['token'], code: 'invalid_client' },
  { says: /ip restricted/, stages: ['token', 'refresh'], code: providerCode('ip_restricted') },
  { error: ['OAUTH_APP_BLOCKED', 'app_is_blocked'], code: providerCode('app_blocked') },
  { error: 'access_denied', says: /late/, code: providerCode('never_reached') },
];

describe('meanings', () => {
  for (const [title, error, description, stage, code] of [
    ['error and words', 'access_denied', 'Service not found: x', 'authorize', 'unknown_audience'],
    ['the first row that fits', 'access_denied', 'too late', 'token', 'invalid_client'],
    ['a later row where the stage differs', 'access_denied', 'late', 'authorize', 'never_reached'],
    ['words beside any error', 'invalid_grant', 'ip restricted', 'refresh', 'ip_restricted'],
    ['words without an error', undefined, 'ip restricted', 'token', 'ip_restricted'],
    ['an error in another case', 'oauth_app_blocked', undefined, 'authorize', 'app_blocked'],
    ['one of several errors', 'app_is_blocked', 'x', 'token', 'app_blocked'],
    ['an error with hyphens', 'OAUTH-APP-BLOCKED', 'any', 'token', 'app_blocked'],
    ['no row of another stage', 'invalid_grant', 'ip restricted', 'authorize', undefined],
    ['no row of other words', 'access_denied', 'no', 'authorize', undefined],
    ['no row of another error', 'app_blocked', 'Service not found', 'authorize', undefined],
    ['no row without words', undefined, undefined, 'api', undefined],
  ] as const) {
    it(`finds ${title}`, () => {
      expect(meaningOf(MEANINGS, { error, description, stage })?.code).to.equal(code);
    });
  }

  it('finds the same row twice, whatever flags its words have', () => {
    const table: Meaning[] = [{ says: /locked/g, code: 'access_denied' }];
    const reported = { description: 'locked', stage: 'token' } as const;
    expect([1, 2].map(() => meaningOf(table, reported)?.code)).to.deep.equal([
      'access_denied',
      'access_denied',
    ]);
  });

  it('finds a row for any words only where there are words', () => {
    const table: Meaning[] = [{ says: /./, code: 'access_denied' }];
    const found = [undefined, '', 'x'].map(
      (description) => meaningOf(table, { error: 'x', description, stage: 'token' })?.code,
    );
    expect(found).to.deep.equal([undefined, undefined, 'access_denied']);
  });

  it('names the redirect URI that was not accepted, where one was sent', () => {
    const sent = [undefined, 'https://app.test/callback'].map(
      (uri) => withRedirectUri(new Problem('redirect_uri_mismatch', 'unknown'), uri).message,
    );
    expect(sent).to.deep.equal(['unknown', 'unknown; sent: https://app.test/callback']);
  });

  it('has no opinion without rows', () => {
    expect(meaningOf([], { error: 'access_denied', stage: 'token' })).to.equal(undefined);
  });
});
