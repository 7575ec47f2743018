/** No option of `authenticate` is dropped without a word, or corrected to the wrong one. */
import { expect } from 'chai';
import { strategyFor } from '../../dist/passport';
import type { AuthenticateOptions } from '../../dist/passport';
import { FRAMEWORK_OPTIONS } from '../../dist/passport/authenticate-options';
import { OAuth2Client } from '../../dist/client';
import { CALLBACK, CREDENTIALS, acme, acmeWith, thrown } from '../support';
import { AcmeStrategy, OPTIONS, callback, request, run, start } from './support';
import type { Outcome } from './support';

const verify = () => ({ id: 'zoe' });

function messageOf({ verb, values }: Outcome): string {
  expect(verb).to.equal('error');
  expect(values[0]).to.be.instanceOf(TypeError);
  return (values[0] as TypeError).message;
}

/** The warnings of the process during a piece of work. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const note = (warning: Error) => {
    if (Reflect.get(warning, 'code') === 'CRM_OAUTH2_UNKNOWN_OPTION')
      warnings.push(warning.message);
  };
  process.on('warning', note);
  try {
    await work();
    await new Promise(setImmediate);
  } finally {
    process.off('warning', note);
  }
  return warnings;
}

describe('options of authenticate', () => {
  const unknown: [string, string][] = [
    ['max_age', 'did you mean "maxAge"?'],
    ['maxage', 'did you mean "maxAge"?'],
    ['login_hint', 'did you mean "loginHint"?'],
    ['loginhint', 'did you mean "loginHint"?'],
    ['organisation', 'did you mean "organization"?'],
    ['redirectUri', 'did you mean "callbackURL"?'],
    ['redirect_uri', 'did you mean "callbackURL"?'],
    ['callbackUrl', 'did you mean "callbackURL"?'],
    ['scopes', 'did you mean "scope"?'],
    ['failureRedirct', 'did you mean "failureRedirect"?'],
    ['response_mode', 'the answer is always a code in the query; leave it out'],
    ['code_challenge_method', 'state, PKCE and nonce are always on; leave it out'],
    ['clientID', 'pass "clientID" to the constructor'],
    ['consumerKey', 'pass "clientID" to the constructor'],
    ['sessionKey', 'pass "sessionKey" to the constructor'],
    ['region', 'pass "region" to the constructor'],
  ];
  for (const [name, advice] of unknown) {
    it(`${name} is refused: ${advice}`, async () => {
      const strategy = new AcmeStrategy({ ...OPTIONS, verify });
      const session = {};
      const expected = `Acme: authenticate() does not know the option "${name}"; ${advice}`;
      expect(messageOf(await run(strategy, request({ session }), { [name]: 60 }))).to.equal(
        expected,
      );
      expect(session).to.deep.equal({});
      const returned = callback(session, { code: 'code-1', state: 'state-1' });
      expect(messageOf(await run(strategy, returned, { [name]: undefined }))).to.equal(expected);
    });
  }

  it('a wire name of another spelling is refused with the right one', async () => {
    class Odd extends strategyFor(acmeWith({ authorizationParameters: { tab: 'x_screen' } })) {}
    const strategy = new Odd({ ...OPTIONS, verify });
    expect(messageOf(await run(strategy, request(), { x_screen: 1 }))).to.include('"tab"?');
  });

  it('those of Passport and of the frameworks pass', async () => {
    const options = Object.fromEntries(FRAMEWORK_OPTIONS.map((name) => [name, 'x']));
    const warnings = await warningsOf(() =>
      start(new AcmeStrategy({ ...OPTIONS, verify }), {}, options),
    );
    expect(warnings).to.deep.equal([]);
  });

  it('one that is far from every other is warned of once, by each strategy', async () => {
    const warnings = await warningsOf(async () => {
      for (const strategy of [1, 2].map(() => new AcmeStrategy({ ...OPTIONS, verify }))) {
        await start(strategy, {}, { toReturn: '/' });
        await start(strategy, {}, { toReturn: '/x' });
      }
    });
    const warning = 'Acme: authenticate() does not know the option "toReturn", and ignores it';
    expect(warnings).to.deep.equal([warning, warning]);
  });

  it('many that come from requests neither fill the memory nor the log', async () => {
    const strategy = new AcmeStrategy({ ...OPTIONS, verify });
    const names = Array.from({ length: 30 }, (_, index) => `${index}\n${'x'.repeat(2000)}`);
    const warnings = await warningsOf(() =>
      start(strategy, {}, Object.fromEntries(names.map((name) => [name, 1]))),
    );
    expect(warnings).to.have.lengthOf(20);
    for (const warning of warnings) {
      expect(warning.length).to.be.below(500);
      expect(warning).not.to.include('\n');
    }
  });

  for (const hook of ['authorizationParams', 'tokenParams']) {
    it(`one that the ${hook} of a subclass may read passes, but no near miss`, async () => {
      const seen: unknown[] = [];
      class Sub extends AcmeStrategy {}
      Reflect.set(Sub.prototype, hook, (options: AuthenticateOptions) => {
        seen.push(options.tenantHint);
        return {};
      });
      const strategy = new Sub({ ...OPTIONS, verify });
      const warnings = await warningsOf(() => start(strategy, {}, { tenantHint: 'x' }));
      expect(warnings).to.deep.equal([]);
      if (hook === 'authorizationParams') expect(seen).to.deep.equal(['x']);
      expect(messageOf(await run(strategy, request(), { max_age: 60 }))).to.include('"maxAge"?');
    });
  }

  for (const [name, value] of [
    ['loginHint', 5],
    ['loginHint', {}],
    ['loginHint', ['a', 1]],
    ['prompt', () => 'login'],
    ['scope', null],
    ['scope', 5],
  ] as [string, unknown][]) {
    it(`${name} is refused with the value ${JSON.stringify(value)}`, async () => {
      const session = {};
      const strategy = new AcmeStrategy({ ...OPTIONS, verify });
      const outcome = await run(strategy, request({ session }), { [name]: value });
      expect(messageOf(outcome)).to.match(/^Acme: (option )?"(loginHint|prompt|scope)" must be/);
      expect(session).to.deep.equal({});
    });
  }

  it('an extra may be a list, or a truth value', async () => {
    const options = { prompt: ['login', 'consent'], organization: true } as AuthenticateOptions;
    class Free extends strategyFor(acmeWith({ boundParameters: [], checkIdToken: undefined })) {}
    const { url } = await start(new Free({ ...OPTIONS, verify }), {}, options);
    expect(url.searchParams.get('prompt')).to.equal('login consent');
    expect(url.searchParams.get('organization')).to.equal('true');
  });

  describe('given in another place', () => {
    const inConstructor: [string, string][] = [
      ['prompt', 'pass "prompt" to authenticate()'],
      ['loginHint', 'pass "loginHint" to authenticate()'],
      ['login_hint', 'pass "loginHint" to authenticate()'],
      ['organisation', 'pass "organization" to authenticate()'],
      ['failureRedirect', 'pass "failureRedirect" to authenticate()'],
      ['session', 'pass "session" to authenticate()'],
      ['redirectUri', 'did you mean "callbackURL"?'],
      ['consumerKey', 'did you mean "clientID"?'],
    ];
    for (const [name, advice] of inConstructor) {
      it(`${name} to the constructor: ${advice}`, () => {
        const make = () => Reflect.construct(AcmeStrategy, [{ ...OPTIONS, verify, [name]: 'x' }]);
        expect(thrown(make).message).to.equal(`Acme: unknown option "${name}"; ${advice}`);
      });
    }

    it('to the constructor of a client', () => {
      const make = (name: string) => () => new OAuth2Client(acme, { ...CREDENTIALS, [name]: 'x' });
      expect(thrown(make('login_hint')).message).to.include(
        'pass "loginHint" to beginLogin(), in extras',
      );
      for (const name of ['callbackURL', 'redirectUri']) {
        expect(thrown(make(name)).message).to.include('pass it to beginLogin(), as redirectUri');
      }
    });

    it('to beginLogin', () => {
      const client = new OAuth2Client(acme, CREDENTIALS);
      const begin = (changes: object) => () =>
        client.beginLogin({ redirectUri: CALLBACK, ...changes });
      for (const [changes, advice] of [
        [{ loginHint: 'x' }, 'pass "loginHint" in extras'],
        [{ max_age: 60 }, 'pass "maxAge" in extras'],
        [{ state: 'x' }, 'did you mean "appState"?'],
        [{ callbackURL: CALLBACK }, 'did you mean "redirectUri"?'],
        [{ extras: { login_hint: 'x' } }, 'did you mean "loginHint"?'],
        [{ extras: { loginHint: 7 } }, 'option "loginHint" must be'],
      ] as const) {
        expect(thrown(begin(changes)).message).to.include(advice);
      }
    });
  });
});
