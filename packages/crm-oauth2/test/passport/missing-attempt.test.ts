import { expect } from 'chai';
import { HINTS } from '../../dist/error-codes';
import { missingAttempt } from '../../dist/passport/missing-attempt';
import type { MissingAttempt } from '../../dist/authorization-response';
import { request } from './support';

const COOKIE = { cookie: 'sid=1' };

/** Code and remedy for a callback that found nothing. */
function explain(parts: object, reason: MissingAttempt = 'state_unknown', begunHere = false) {
  const { code, details } = missingAttempt(request(parts), reason, begunHere);
  expect(details.refusal).to.equal(403);
  return { code, hint: details.hint ?? HINTS[code] };
}

describe('missing attempt', () => {
  const EMPTY = { cookie: { path: '/' }, 'oauth2:acme': undefined };

  for (const [title, parts, reason, begunHere, code] of [
    [
      'no cookie came, and the session is new',
      { session: EMPTY },
      'state_unknown',
      true,
      'cookie_missing',
    ],
    [
      'no cookie came, and there is no session',
      { session: undefined },
      'state_unknown',
      false,
      'cookie_missing',
    ],
    [
      'there is no session middleware',
      { session: undefined },
      'session_missing',
      false,
      'session_missing',
    ],
    [
      'the cookie came, its session is empty',
      { session: EMPTY, headers: COOKIE },
      'state_unknown',
      false,
      'session_empty',
    ],
    [
      'begun here, in another session',
      { session: { cart: 1 }, headers: COOKIE },
      'state_unknown',
      true,
      'other_browser',
    ],
    [
      'nothing is known of it',
      { session: { cart: 1 }, headers: COOKIE },
      'state_unknown',
      false,
      'state_unknown',
    ],
    [
      'a framework whose session needs no cookie header',
      { session: { cart: 1 } },
      'state_unknown',
      false,
      'state_unknown',
    ],
    ['it took too long', { session: {} }, 'state_expired', true, 'state_expired'],
    ['it was finished already', { session: {} }, 'already_completed', true, 'already_completed'],
  ] as const) {
    it(`${title}: ${code}`, () => {
      const told = explain(parts, reason, begunHere);
      expect(told.code).to.equal(code);
      expect(told.hint).to.be.a('string');
    });
  }

  for (const [title, parts, key] of [
    ['a form that the provider posts', { method: 'POST' }, 'cookie_missing.form_post'],
    [
      'https that the framework does not know of',
      { protocol: 'http', headers: { 'x-forwarded-proto': 'https,http' } },
      'cookie_missing.proxy',
    ],
    [
      'https that the framework knows of',
      { protocol: 'https', headers: { 'x-forwarded-proto': 'https' } },
      'cookie_missing',
    ],
    [
      'a browser that comes from the provider',
      { headers: { 'sec-fetch-site': 'cross-site' } },
      'cookie_missing.strict',
    ],
    ['nothing particular', {}, 'cookie_missing'],
  ] as const) {
    it(`no cookie, and ${title}: the remedy is ${key}`, () => {
      expect(explain({ session: {}, ...parts })).to.deep.equal({
        code: 'cookie_missing',
        hint: HINTS[key],
      });
    });
  }
});
