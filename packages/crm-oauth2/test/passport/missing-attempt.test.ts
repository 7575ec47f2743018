import { expect } from 'chai';
import { HINTS } from '../../dist/errors/codes';
import { missingAttempt } from '../../dist/passport/missing-attempt';
import type { MissingAttempt } from '../../dist/protocol/authorization-response';
import { request } from './support';

const COOKIE = { cookie: 'sid=1' };

/** Code, message and remedy for a callback that found nothing. */
function explain(parts: object, reason: MissingAttempt = 'state_unknown', begunHere = false) {
  const { code, message, details } = missingAttempt(request(parts), reason, begunHere);
  expect(details.refusal).to.equal(403);
  return { code, message, hint: details.hint };
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
      'no cookie came, and the session was ended',
      { session: null },
      'state_unknown',
      false,
      'cookie_missing',
    ],
    [
      'a cookie came, and the session was ended',
      { session: null, headers: COOKIE },
      'state_unknown',
      false,
      'session_empty',
    ],
    [
      'a cookie came, and the application keeps no session',
      { session: undefined, headers: COOKIE },
      'state_unknown',
      false,
      'state_unknown',
    ],
    [
      'the cookie came, its session is empty',
      { session: EMPTY, headers: COOKIE },
      'state_unknown',
      false,
      'session_empty',
    ],
    [
      'no cookie came, and koa-session has made a session',
      { session: { isNew: true, _requireSave: false, _expire: undefined } },
      'state_unknown',
      true,
      'cookie_missing',
    ],
    [
      'no cookie came, and @fastify/secure-session has made a session',
      { session: { changed: false, deleted: false, data: () => ({}) } },
      'state_unknown',
      true,
      'cookie_missing',
    ],
    [
      'begun here, in another session of @fastify/secure-session',
      { session: { changed: false, data: () => ({ cart: 1 }) }, headers: COOKIE },
      'state_unknown',
      true,
      'other_browser',
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
      // A remedy of its own only where there are several; the table has one for each code.
      expect(told.hint).to.equal(code === 'cookie_missing' ? HINTS[code] : undefined);
      expect(HINTS).to.have.property(code);
    });
  }

  for (const [parts, reason, begunHere, message] of [
    [{}, 'session_missing', false, 'there is no session to find the pending login in'],
    [{ headers: COOKIE }, 'state_unknown', false, 'the session of this browser is empty'],
    [{}, 'state_unknown', false, 'the browser sent no cookie back'],
    [{ session: { cart: 1 } }, 'state_unknown', false, 'no pending login has this state'],
    [{}, 'state_expired', false, 'the pending login has expired'],
    [{}, 'already_completed', false, 'this login was finished already'],
    [
      { headers: COOKIE },
      'state_unknown',
      true,
      'the login was begun here, but not in this session',
    ],
  ] as const) {
    it(`says in words that ${message}`, () => {
      expect(explain(parts, reason, begunHere).message).to.equal(message);
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
      expect(explain({ session: {}, ...parts })).to.deep.include({
        code: 'cookie_missing',
        hint: HINTS[key],
      });
    });
  }
});
