/** Requests at the callback that come ahead of the person, and starts that look like a callback. */
import { expect } from 'chai';
import { CALLBACK, mockTheNetwork } from '../support';
import { AcmeStrategy, OPTIONS, answerLogin, callback, request, run, start } from './support';
import type { Outcome } from './support';

function make(options: object = {}): AcmeStrategy {
  return new AcmeStrategy({ ...OPTIONS, verify: ({ profile }) => profile, ...options });
}

function refusalOf({ verb, values }: Outcome): object {
  expect(verb).to.equal('fail');
  const [info, status] = values as [{ code: string; hint: string }, number];
  return { code: info.code, status };
}

describe('a request ahead of the person', () => {
  mockTheNetwork();

  const ahead: [string, object][] = [
    ['a HEAD request, as scanners of links send it', { method: 'HEAD' }],
    ['an OPTIONS request', { method: 'OPTIONS' }],
    ['a browser that prefetches', { headers: { 'sec-purpose': 'prefetch' } }],
    ['a browser that prerenders', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['an older browser that prefetches', { headers: { purpose: 'prefetch' } }],
    ['Firefox that prefetches', { headers: { 'x-moz': 'prefetch' } }],
    ['Safari that shows a preview', { headers: { 'x-purpose': 'preview' } }],
  ];
  for (const [title, parts] of ahead) {
    it(`uses up no login: ${title}`, async () => {
      const session = {};
      const strategy = make();
      const { state } = await start(strategy, session);
      const back = callback(session, { code: 'code-1', state });
      const before = JSON.stringify(session);
      expect(refusalOf(await run(strategy, { ...back, ...parts }))).to.deep.equal({
        code: 'callback_ahead',
        status: 403,
      });
      expect(JSON.stringify(session)).to.equal(before);
      answerLogin();
      expect((await run(strategy, back)).verb).to.equal('success');
    });
  }

  it('has one of these purposes, and not another', async () => {
    const session = {};
    const strategy = make();
    const { state } = await start(strategy, session);
    answerLogin();
    const headers = { 'sec-purpose': 'other', purpose: 'prefetched' };
    const outcome = await run(strategy, {
      ...callback(session, { code: 'code-1', state }),
      headers,
    });
    expect(outcome.verb).to.equal('success');
  });

  it('starts a login all the same', async () => {
    expect((await run(make(), request({ method: 'HEAD' }))).verb).to.equal('redirect');
  });
});

describe('a state of the application in the address', () => {
  mockTheNetwork();
  const query = { state: '/dashboard' };

  it('starts a login at another path than that of the callback', async () => {
    for (const [options, given] of [
      [{}, {}],
      [{ callbackURL: '/auth/acme/callback' }, {}],
      [{ callbackURL: undefined }, { callbackURL: CALLBACK }],
    ]) {
      const req = request({ query, headers: { host: 'app.test' } });
      expect((await run(make(options), req, given)).verb).to.equal('redirect');
    }
  });

  it('belongs to an answer at the callback, and where the callback is not known', async () => {
    expect(refusalOf(await run(make(), callback({ x: 1 }, query)))).to.include({
      code: 'state_unknown',
    });
    const unknown = await run(
      make({ callbackURL: undefined }),
      request({ query, session: { x: 1 } }),
    );
    expect(refusalOf(unknown)).to.include({ code: 'state_unknown' });
  });

  it('belongs to an answer beside code or error, at any path', async () => {
    for (const name of ['code', 'error']) {
      const req = request({ query: { ...query, [name]: 'x' }, session: { x: 1 } });
      expect(refusalOf(await run(make(), req))).to.include({ code: 'state_unknown' });
    }
  });

  it('is told of a callbackURL that cannot be one', async () => {
    const { verb, values } = await run(make(), request({ query }), { callbackURL: 'https://' });
    expect(verb).to.equal('error');
    expect(String(values[0])).to.include('callbackURL');
  });
});
