/** The redacted report of one login. */
import { expect } from 'chai';
import { asMarkdown, describeLogin } from '../../dist/check/login-report';
import type { LoggedIn } from '../../dist/check/login';
import { OAuth2Client } from '../../dist/index';
import { SECRET } from '../support';
import { acmeId } from './support';

const NOW = Date.UTC(2026, 10, 29, 23);

const HEADER = Buffer.from('{"alg":"RS256","kid":"key-of-acme-2026"}').toString('base64url');
const ID_TOKEN = `${HEADER}.eyJzdWIiOiJzdXJpIn0.signature`;

const PRIVATE = [
  SECRET,
  'access-token-of-suri',
  'refresh-token-of-suri',
  ID_TOKEN,
  'c0de-of-suri',
  'Suri',
  'suri@customer.com',
  'customer',
  'key-of-acme-2026',
];

function loggedIn(changes: Partial<LoggedIn['tokens']> = {}): LoggedIn {
  const answer = {
    sub: 'suri',
    name: 'Suri',
    email: 'suri@customer.com',
    'https://customer.com/r': 1,
  };
  const tokens = {
    accessToken: 'access-token-of-suri',
    refreshToken: 'refresh-token-of-suri',
    idToken: ID_TOKEN,
    tokenType: 'Bearer',
    expiresAt: NOW + 3_600_000,
    scope: 'email openid',
    claims: { iss: 'https://id.acme.test', sub: 'suri', iat: 1000, exp: 4600 },
    response: {
      access_token: 'access-token-of-suri',
      expires_in: 3600,
      instance_url: 'https://customer.my.acme.test/x',
    },
    ...changes,
  } as LoggedIn['tokens'];
  const profile = {
    provider: 'acme',
    id: 'suri',
    displayName: 'Suri',
    _raw: JSON.stringify(answer),
    _json: answer,
  };
  return { callback: { code: 'c0de-of-suri', state: 'x' }, tokens, profile, took: 12 };
}

const client = (issuer = 'https://id.acme.test') =>
  new OAuth2Client(acmeId(), {
    clientID: 'client-1',
    clientSecret: SECRET,
    issuer,
    scope: ['openid', 'email'],
  });

const about = { package: 'passport-acme 1.2.3', now: NOW, secrets: [SECRET] };

const factsOf = (changes: Partial<LoggedIn['tokens']>, one = client()) =>
  Object.fromEntries(describeLogin(one, loggedIn(changes), about).facts);

describe('report of a login', () => {
  it('holds the shape of each answer, and no value of the person', () => {
    const report = describeLogin(client(), loggedIn(), about);
    expect(report).to.deep.include({
      provider: 'Acme',
      package: 'passport-acme 1.2.3',
      node: process.version,
      date: '2026-11-29',
      hosts: ['id.acme.test'],
    });
    expect(report.answers).to.deep.equal({
      'Parameters of the callback': [
        ['code', 'text'],
        ['state', 'text'],
      ],
      'Token response': [
        ['access_token', 'opaque text of at most 20 characters'],
        ['expires_in', '3600 seconds'],
        ['instance_url', 'https URL at *.my.acme.test'],
      ],
      'Header of the ID Token': [
        ['alg', 'text'],
        ['kid', 'opaque text of at most 20 characters'],
      ],
      'Claims of the ID Token': [
        ['iss', 'https URL at id.acme.test'],
        ['sub', 'text'],
        ['iat', 'whole number'],
        ['exp', 'whole number'],
      ],
      'Answer that the profile is made of': [
        ['sub', 'text'],
        ['name', 'text'],
        ['email', 'e-mail address'],
        ['(a name that is a URL)', 'whole number'],
      ],
      'Profile as the strategy gives it': [
        ['provider', 'text'],
        ['id', 'text'],
        ['displayName', 'text'],
      ],
    });
    const text = `${JSON.stringify(report)}${asMarkdown(report)}`;
    for (const value of PRIVATE) expect(text).to.not.contain(value);
  });

  it('shows no secret, token, code or client id that an answer has for a name', () => {
    const names = [...PRIVATE.slice(0, 5), 'client-1'];
    const response = Object.fromEntries(names.map((name) => [name, 1]));
    const report = describeLogin(client(), loggedIn({ response }), about);
    const text = `${JSON.stringify(report)}${asMarkdown(report)}`;
    for (const name of names) expect(text).to.not.contain(name);
  });

  it('is Markdown: a heading, the place, and a table for each answer', () => {
    const { answers, facts } = describeLogin(client(), loggedIn(), about);
    const report = {
      provider: 'Acme',
      package: 'passport-acme 1.2.3',
      node: 'v20.19.0',
      date: '2026-11-29',
      hosts: ['id.acme.test', '*.acme.test'],
      facts: facts.slice(0, 2),
      answers: {
        'Token response': [['a|b', 'text'], ...(answers['Token response'] ?? []).slice(1, 2)],
      },
    } as const;
    expect(asMarkdown(report)).to.equal(
      [
        '### Acme, 2026-11-29',
        '',
        'passport-acme 1.2.3, Node v20.19.0. Hosts: id.acme.test, *.acme.test.',
        '',
        '| Fact | |',
        '| --- | --- |',
        '| Access token | 3600 seconds left |',
        '| Refresh token | came |',
        '',
        '| Token response | |',
        '| --- | --- |',
        String.raw`| a\|b | text |`,
        '| expires_in | 3600 seconds |',
      ].join('\n'),
    );
  });

  it('facts — tell the lifetimes, the algorithm and the scopes', () => {
    expect(factsOf({})).to.deep.equal({
      'Access token': '3600 seconds left',
      'Refresh token': 'came',
      'ID Token': 'verified, RS256, 3600 seconds from iat to exp',
      'Granted scopes': 'those asked for',
      'From the answer to the profile': '12 ms',
    });
  });

  it('facts — tell what did not come', () => {
    const none = { refreshToken: undefined, idToken: undefined, claims: undefined };
    expect(factsOf({ ...none, expiresAt: undefined, scope: undefined })).to.include({
      'Access token': 'no lifetime',
      'Refresh token': 'none',
      'ID Token': 'none (required)',
      'Granted scopes': 'not named',
    });
    const { answers } = describeLogin(client(), loggedIn(none), about);
    expect(answers).to.not.have.any.keys('Header of the ID Token', 'Claims of the ID Token');
  });

  it('facts — tell an assumed lifetime, and other scopes', () => {
    expect(factsOf({ response: {}, scope: 'openid' })).to.include({
      'Access token': '3600 seconds left (assumed: the response does not say)',
      'Granted scopes': 'not those asked for',
    });
    const asked = new OAuth2Client(acmeId({ scope: [], idToken: 'none' }), { clientID: 'c' });
    expect(factsOf({ scope: 'all' }, asked)).to.include({
      'Granted scopes': 'named; none were asked for',
    });
  });

  it('hosts — of a set-up of its own name no customer', () => {
    const { hosts } = describeLogin(client('https://customer.my.acme.test'), loggedIn(), about);
    expect(hosts).to.deep.equal(['*.my.acme.test']);
  });
});
