import { expect } from 'chai';
import {
  LOGIN_ATTEMPT_LIFETIME_MS,
  fingerprintOf,
  isPending,
  questionsOf,
} from '../../dist/protocol/login-attempt';
import { thrown } from '../support';

const PROVIDER = { title: 'Acme', boundParameters: ['organization', 'team'] };

describe('login attempt', () => {
  it('lives for ten minutes', () => {
    expect(LOGIN_ATTEMPT_LIFETIME_MS).to.equal(600_000);
  });

  describe('RFC 9700 §4.4 — the fingerprint of a client', () => {
    const PLACES = {
      authorizationEndpoint: 'https://acme.test/authorize',
      tokenEndpoint: 'https://acme.test/token',
      issuer: 'https://acme.test/',
      jwksUri: 'https://acme.test/keys',
    };
    const own = fingerprintOf('acme', 'client-1', PLACES);

    it('is the same for the same client, and short enough for a cookie', () => {
      expect(fingerprintOf('acme', 'client-1', { ...PLACES })).to.equal(own);
      expect(own).to.match(/^[\w-]{22}$/);
    });

    const others: [string, () => string][] = [
      ['provider', () => fingerprintOf('other', 'client-1', PLACES)],
      ['client id', () => fingerprintOf('acme', 'client-2', PLACES)],
      ['binding', () => fingerprintOf('acme', 'client-1', PLACES, 'tenant-1')],
      ...Object.keys(PLACES).map((name): [string, () => string] => [
        name,
        () => fingerprintOf('acme', 'client-1', { ...PLACES, [name]: 'https://evil.test/' }),
      ]),
    ];
    for (const [name, make] of others) {
      it(`differs by ${name}`, () => expect(make()).not.to.equal(own));
    }
  });

  describe('is pending', () => {
    const realNow = Date.now;
    afterEach(() => {
      Date.now = realNow;
    });

    it('until it expires, to the millisecond', () => {
      const expiresAt = Date.now() + 600_000;
      Date.now = () => expiresAt - 1;
      expect(isPending({ expiresAt })).to.equal(true);
      Date.now = () => expiresAt;
      expect(isPending({ expiresAt })).to.equal(false);
    });

    it('not after the clock was set back, beyond the minute by which clocks may differ', () => {
      const expiresAt = Date.now() + 600_000;
      Date.now = () => expiresAt - 660_000;
      expect(isPending({ expiresAt })).to.equal(true);
      Date.now = () => expiresAt - 660_001;
      expect(isPending({ expiresAt })).to.equal(false);
    });
  });

  describe('questions to the ID Token', () => {
    const kept: [string, string, object][] = [
      ['none', 'prompt=login&scope=openid', {}],
      ['max_age', 'max_age=60', { maxAge: 60 }],
      ['max_age of zero', 'max_age=0', { maxAge: 0 }],
      ['max_age of fifteen digits', 'max_age=999999999999999', { maxAge: 999_999_999_999_999 }],
      ['a bound parameter', 'organization=org_1', { asked: { organization: 'org_1' } }],
      ['a bound parameter of digits', 'team=7', { asked: { team: '7' } }],
      [
        'every question at once, decoded',
        'team=a%20b&max_age=1&organization=%C3%A9',
        { maxAge: 1, asked: { organization: 'é', team: 'a b' } },
      ],
    ];
    for (const [title, query, questions] of kept) {
      it(`OIDC Core §3.1.2.1 — keeps ${title}`, () => {
        expect(questionsOf(new URLSearchParams(query), true, PROVIDER)).to.deep.equal(questions);
      });
    }

    it('keeps a parameter only where the description binds it', () => {
      const query = new URLSearchParams('organization=org_1&max_age=5');
      const unbound = { title: 'Acme', boundParameters: [] };
      expect(questionsOf(query, true, unbound)).to.deep.equal({ maxAge: 5 });
    });

    it('needs no ID Token when nothing is asked', () => {
      expect(questionsOf(new URLSearchParams('scope=read'), false, PROVIDER)).to.deep.equal({});
    });

    const single = (name: string) => `Acme: "${name}" must be one non-empty value`;
    const seconds = 'Acme: "max_age" must be a whole number of seconds';
    const refused: [string, string, string][] = [
      ['an empty max_age', 'max_age=', single('max_age')],
      ['a repeated max_age', 'max_age=60&max_age=60', single('max_age')],
      ['an empty bound parameter', 'organization=', single('organization')],
      ['a repeated bound parameter', 'team=a&team=b', single('team')],
      ['a max_age with its unit', 'max_age=60s', seconds],
      ['a max_age after a letter', 'max_age=s60', seconds],
      ['a negative max_age', 'max_age=-1', seconds],
      ['a max_age with a fraction', 'max_age=1.5', seconds],
      ['a max_age with an exponent', 'max_age=1e3', seconds],
      ['a max_age of sixteen digits', 'max_age=1000000000000000', seconds],
      ['a max_age in words', 'max_age=NaN', seconds],
      ['a max_age of two numbers', 'max_age=60+60', seconds],
    ];
    for (const [title, query, message] of refused) {
      it(`OIDC Core §3.1.2.1 — refuses ${title}`, () => {
        const error: unknown = thrown(() =>
          questionsOf(new URLSearchParams(query), true, PROVIDER),
        );
        expect(error).to.be.instanceOf(TypeError).with.property('message', message);
      });
    }

    for (const [name, query] of [
      ['max_age', 'max_age=60'],
      ['organization', 'organization=org_1'],
    ] as const) {
      it(`OIDC Core §3.1.2.1 — refuses ${name} when no ID Token will answer it`, () => {
        const error: unknown = thrown(() =>
          questionsOf(new URLSearchParams(query), false, PROVIDER),
        );
        expect(error)
          .to.be.instanceOf(TypeError)
          .with.property(
            'message',
            `Acme: "${name}" is checked in the ID Token, and this login asks for none (scope "openid")`,
          );
      });
    }
  });
});
