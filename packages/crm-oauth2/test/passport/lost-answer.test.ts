/** A callback that lost its parameters on the way is told, and never starts the next login. */
import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CookieStateStore } from '../../dist/passport';
import type { PassportRequest } from '../../dist/passport';
import { lostAnswer } from '../../dist/passport/lost-answer';
import type { Arrival } from '../../dist/passport/lost-answer';
import { isAtCallback, placeOf } from '../../dist/passport/request';
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
import { CALLBACK, ORIGIN, mockTheNetwork } from '../support';
import { AcmeStrategy, OPTIONS, answerLogin, attemptOf, callback, request, run } from './support';
import type { Outcome } from './support';

const PATH = '/auth/acme/callback';
const LOST = 'callback_without_parameters';
const FORM = {
  'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
  'content-length': '20',
};
const ago = (seconds: number): Partial<LoginAttempt> => ({
  expiresAt: Date.now() + 600_000 - seconds * 1000,
});

function codeOf(changes: Partial<Arrival>, headers: object = {}, parts: object = {}) {
  return lostAnswer({
    req: { method: 'GET', headers: headers as PassportRequest['headers'], ...parts },
    parameters: {},
    ownOrigin: 'https://app.test',
    authorizationOrigin: ORIGIN,
    pending: [],
    beginsElsewhere: false,
    ...changes,
  });
}

function refusalOf({ verb, values }: Outcome): unknown {
  expect(verb).to.equal('fail');
  const [info, status] = values as [{ code: string; hint: string }, number];
  expect(info.hint).to.be.a('string');
  return { code: info.code, status };
}

function make(options: object = {}): AcmeStrategy {
  return new AcmeStrategy({ ...OPTIONS, verify: ({ profile }) => profile, ...options });
}

describe('lost answer', () => {
  describe('the path of the callback', () => {
    for (const [path, expected] of [
      [PATH, true],
      [`${PATH}?x=/other`, true],
      [`${PATH}/`, true],
      ['/AUTH/acme/Callback', true],
      ['/acme/callback', true],
      ['//auth/acme//callback', true],
      ['//acme/callback', true],
      ['/auth/%61cme/%43allback', true],
      ['/auth/%61cme/%', false],
      ['/auth/acme', false],
      ['/llback', false],
      ['callback', false],
      ['/', false],
      ['', false],
      [undefined, false],
    ] as const) {
      it(`${path}: ${expected}`, () => {
        expect(isAtCallback({ headers: {}, url: path }, CALLBACK)).to.equal(expected);
        const mounted = { headers: {}, originalUrl: path, url: '/' };
        expect(isAtCallback(mounted, CALLBACK)).to.equal(expected);
      });
    }

    it('CWE-1333 — is read in time, however many slashes a stranger writes', () => {
      const begun = performance.now();
      expect(isAtCallback({ headers: {}, url: `${'/'.repeat(50_000)}x` }, CALLBACK)).to.equal(
        false,
      );
      expect(performance.now() - begun).to.be.below(3000);
    });

    it('may be the root', () => {
      expect(isAtCallback({ headers: {}, url: '/?x' }, 'https://app.test')).to.equal(true);
      expect(isAtCallback({ headers: {}, url: '/x' }, 'https://app.test')).to.equal(false);
      expect(placeOf({ headers: {}, url: '/x' }, 'https://app.test/')).to.equal('elsewhere');
    });
  });

  describe('without parameters', () => {
    const same = () => attemptOf({ sameRoute: true, ...ago(5) });
    const cases = (): [string, Partial<Arrival>, object, string | undefined][] => [
      ['starts where nothing speaks against it', {}, {}, undefined],
      ['is lost when the provider sent the browser', {}, { referer: `${ORIGIN}/a?b` }, LOST],
      ['starts for the link of another site', {}, { referer: 'https://news.test/' }, undefined],
      ['starts for a broken Referer', {}, { referer: 'about' }, undefined],
      ['is lost when a login waits for it', { pending: [attemptOf()] }, {}, LOST],
      ['is lost when logins begin elsewhere', { beginsElsewhere: true }, {}, LOST],
      ['starts at a second tab', { pending: [same()] }, {}, undefined],
      [
        'is lost when the browser goes in circles',
        { pending: [same(), same()] },
        { 'sec-fetch-site': 'cross-site' },
        LOST,
      ],
      [
        'starts when the person clicks for the third time',
        { pending: [same(), same()] },
        { 'sec-fetch-site': 'same-origin' },
        undefined,
      ],
      [
        'starts again after a minute',
        { pending: [same(), attemptOf({ sameRoute: true, ...ago(61) })] },
        {},
        undefined,
      ],
      ['starts with parameters of the application', { parameters: { next: '/' } }, {}, undefined],
      ...['iss', 'error_description', 'error_uri', 'session_state', 'scope'].map(
        (name): [string, Partial<Arrival>, object, string] => [
          `is lost when ${name} is all that came`,
          { parameters: { [name]: 'x' } },
          {},
          LOST,
        ],
      ),
      [
        'starts for the form of an own page, whatever its fields are',
        { parameters: { scope: 'x' } },
        { origin: 'https://app.test' },
        undefined,
      ],
      [
        'starts for the click on an own page, which cannot be an answer',
        { pending: [attemptOf()], beginsElsewhere: true },
        { 'sec-fetch-site': 'same-origin' },
        undefined,
      ],
      [
        'OIDC Core §4 — starts where another party asks for it',
        { parameters: { iss: ORIGIN, target_link_uri: '/' } },
        {},
        undefined,
      ],
    ];
    cases().forEach(([title], index) => {
      it(title, () => {
        // The ages of the pending logins count from now.
        const [, changes, headers, expected] = cases()[index] ?? [title, {}, {}, 'no case'];
        expect(codeOf(changes, headers)).to.equal(expected);
      });
    });
  });

  describe('a posted form', () => {
    const chunked = { 'content-type': FORM['content-type'], 'transfer-encoding': 'chunked' };
    const cases: [string, object, object, string | undefined][] = [
      ['that no parser has read is refused', FORM, {}, 'form_not_parsed'],
      ['of which a parser made nothing is refused', FORM, { body: {} }, 'form_not_parsed'],
      [
        'that was read as bytes is refused',
        FORM,
        { body: Buffer.from('code=x') },
        'form_not_parsed',
      ],
      ['that was read as text is refused', FORM, { body: 'code=x' }, 'form_not_parsed'],
      ['in chunks is refused', chunked, {}, 'form_not_parsed'],
      [
        'in several parts is refused',
        { ...FORM, 'content-type': 'multipart/form-data; boundary=x' },
        {},
        'form_not_parsed',
      ],
      ['that a parser has read starts', FORM, { body: { _csrf: 'x' } }, undefined],
      [
        "from the application's own page starts",
        { ...FORM, origin: 'https://app.test' },
        {},
        undefined,
      ],
      [
        'by the button of the page starts',
        { ...FORM, 'sec-fetch-site': 'same-origin' },
        {},
        undefined,
      ],
      ['that is empty starts', { ...FORM, 'content-length': '0' }, {}, undefined],
      ['that is JSON starts', { ...FORM, 'content-type': 'application/json' }, {}, undefined],
      [
        'of a type that only names a form starts',
        { ...FORM, 'content-type': 'text/plain; of=multipart/form-data' },
        {},
        undefined,
      ],
      ['without a type starts', { 'content-length': '20' }, {}, undefined],
      ['of another method starts', FORM, { method: 'GET' }, undefined],
    ];
    for (const [title, headers, parts, expected] of cases) {
      it(title, () => {
        expect(codeOf({}, headers, { method: 'POST', ...parts })).to.equal(expected);
      });
    }
  });

  describe('a person whose answer was lost', () => {
    mockTheNetwork();
    const secrets = ['x'.repeat(32)];
    const arrive = (strategy: AcmeStrategy, session: object, parts: object = {}) =>
      run(strategy, { ...callback(session, {}), ...parts });

    it('is refused with a page that says so, and keeps the pending login', async () => {
      const session: Record<string, unknown> = {};
      const strategy = make();
      await run(strategy, request({ session }));
      const before = JSON.stringify(session);
      expect(before).not.to.include('sameRoute');
      // The session of the start decides, also in another process.
      for (const process of [strategy, make()]) {
        expect(refusalOf(await arrive(process, session))).to.deep.equal({
          code: LOST,
          status: 403,
        });
      }
      expect(JSON.stringify(session)).to.equal(before);
    });

    it('is refused also when the session is lost as well', async () => {
      const strategy = make();
      await run(strategy, request());
      expect(refusalOf(await arrive(strategy, {}))).to.deep.equal({ code: LOST, status: 403 });
    });

    it('is refused also when only the start names the callbackURL', async () => {
      const session = {};
      const strategy = make({ callbackURL: undefined });
      await run(strategy, request({ session }), { callbackURL: CALLBACK });
      expect(refusalOf(await arrive(strategy, session))).to.include({ code: LOST });
    });

    it('is refused when the form has no parser', async () => {
      const session = {};
      const strategy = make();
      await run(strategy, request({ session }));
      const outcome = await arrive(strategy, session, { method: 'POST', headers: FORM });
      expect(refusalOf(outcome)).to.deep.equal({ code: 'form_not_parsed', status: 403 });
    });

    it('is refused where pending logins are in cookies', async () => {
      const lines: string[] = [];
      const res = {
        getHeader: () => undefined,
        setHeader: (_name: string, value: string[]) => lines.push(...value),
      };
      const store = new CookieStateStore({ secrets });
      await run(make({ store }), request({ session: undefined, res }));
      const cookie = lines.map((line) => line.split(';')[0]).join('; ');
      // Another process, so that only the cookie says it.
      const next = make({ store: new CookieStateStore({ secrets }) });
      for (const cookies of [cookie, `${cookie}; __Host-crm-login.x.y=broken`]) {
        const outcome = await arrive(next, {}, { headers: { cookie: cookies } });
        expect(refusalOf(outcome)).to.include({ code: LOST });
      }
    });

    it('is counted: login.ended is published', async () => {
      const events: object[] = [];
      const note = (event: unknown) => events.push(event as object);
      const strategy = make();
      await run(strategy, request());
      subscribe('crm-oauth2', note);
      try {
        await arrive(strategy, {});
      } finally {
        unsubscribe('crm-oauth2', note);
      }
      expect(events).to.have.lengthOf(1);
      expect(events[0]).to.include({ event: 'login.ended', outcome: 'fail', code: LOST });
    });
  });

  describe('one route for both halves', () => {
    mockTheNetwork();
    const redirected = { 'sec-fetch-site': 'cross-site' };
    const visit = (strategy: AcmeStrategy, session: object, headers: object = {}, query = {}) =>
      run(strategy, request({ session, headers, query, url: PATH }));

    it('begins and finishes a login, with several tabs and after a double click', async () => {
      const session: Record<string, unknown> = {};
      const strategy = make();
      const own = { 'sec-fetch-site': 'same-origin' };
      const starts = [{}, own, own, own].map((headers) => visit(strategy, session, headers));
      for (const { verb, values } of await Promise.all(starts)) {
        expect(verb).to.equal('redirect');
        const state = new URL(values[0] as string).searchParams.get('state');
        answerLogin();
        const back = await visit(strategy, session, redirected, { code: 'code-1', state });
        expect(back.verb).to.equal('success');
      }
    });

    it('begins a login for a person who comes from the link of another site', async () => {
      const headers = { ...redirected, referer: 'https://intranet.test/' };
      expect((await visit(make(), {}, headers)).verb).to.equal('redirect');
    });

    it('ends when each return has lost its parameters', async () => {
      const session = {};
      const strategy = make();
      const verbs: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        verbs.push((await visit(strategy, session, redirected)).verb);
      }
      expect(verbs).to.deep.equal(['redirect', 'redirect', 'fail', 'fail']);
    });

    for (const path of ['/auth/%61cme/callback', `${PATH}/x`]) {
      it(`is not closed to other people by a start at ${path}`, async () => {
        const strategy = make();
        const session = {};
        expect((await run(strategy, request({ session, url: path }))).verb).to.equal('redirect');
        expect((await visit(strategy, session, redirected)).verb).to.equal('redirect');
        expect((await visit(strategy, {})).verb).to.equal('redirect');
      });
    }

    it('opens again with the first click on an own page', async () => {
      const strategy = make();
      await run(strategy, request({ url: '/login' }));
      expect((await visit(strategy, {}, redirected)).verb).to.equal('fail');
      const own = { 'sec-fetch-site': 'same-origin' };
      expect((await visit(strategy, {}, own)).verb).to.equal('redirect');
      expect((await visit(strategy, {}, redirected)).verb).to.equal('redirect');
    });

    it('is not confused by the pending login of another client', async () => {
      const session = { 'oauth2:acme': [attemptOf({ redirectUri: CALLBACK })] };
      expect((await visit(make(), session)).verb).to.equal('redirect');
    });
  });
});
