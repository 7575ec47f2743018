/** Variables: their names, the options they make, and what is wrong with them. */
import { expect } from 'chai';
import {
  prefixOf,
  readSetUp,
  variableOf,
  variablesOf,
  withVariables,
} from '../../dist/check/variables';
import type { Environment } from '../../dist/check/variables';
import { acmeWith, SECRET } from '../support';
import { acmeId, setUpOf } from './support';

const ID_AND_SECRET = { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: SECRET };

const read = (environment: Environment, provider = acmeWith({}), isPublic = false) =>
  readSetUp(provider, 'ACME', environment, isPublic);

const wrongs = (environment: Environment) =>
  read(environment).findings.filter(({ verdict }) => verdict === 'wrong');

describe('variables of a set-up', () => {
  for (const [option, variable] of [
    ['clientID', 'ACME_CLIENT_ID'],
    ['clientSecret', 'ACME_CLIENT_SECRET'],
    ['callbackURL', 'ACME_CALLBACK_URL'],
    ['loginURL', 'ACME_LOGIN_URL'],
    ['userInfoURL', 'ACME_USER_INFO_URL'],
    ['allowedLoginURLs', 'ACME_ALLOWED_LOGIN_URLS'],
    ['issuer', 'ACME_ISSUER'],
  ] as const) {
    it(`variableOf — ${option} is ${variable}`, () => {
      expect(variableOf('ACME', option)).to.equal(variable);
    });
  }

  it('prefixOf — makes a name that a shell takes', () => {
    expect(prefixOf('acme-id 2')).to.equal('ACME_ID_2');
  });

  it('variablesOf — has the common options, and those of the provider', () => {
    const names = variablesOf(acmeId(), 'ACME').map(({ variable }) => variable);
    expect(names).to.deep.equal([
      'ACME_CLIENT_ID',
      'ACME_CLIENT_SECRET',
      'ACME_CALLBACK_URL',
      'ACME_SCOPE',
      'ACME_OFFLINE',
      'ACME_ISSUER',
    ]);
  });

  it('readSetUp — makes the options, and leaves out the callback and what has no value', () => {
    const setUp = read({
      ...ID_AND_SECRET,
      ACME_CALLBACK_URL: 'https://app.test/cb',
      ACME_SCOPE: 'read write',
      ACME_OFFLINE: 'true',
      ACME_FANCY: '0',
      ACME_REGION: '',
    });
    expect(setUp.options).to.deep.equal({
      clientID: 'client-1',
      clientSecret: SECRET,
      scope: 'read write',
      offline: true,
      fancy: false,
    });
    expect(setUp).to.include({ callbackURL: 'https://app.test/cb', hasClient: true });
    expect(setUp.settings?.scope).to.deep.equal(['read', 'write']);
    expect(setUp.findings).to.deep.equal([
      {
        part: 'variables',
        verdict: 'right',
        says: 'ACME_CLIENT_ID and ACME_CLIENT_SECRET are set.',
      },
    ]);
  });

  it('readSetUp — splits a list at commas and white space', () => {
    const provider = acmeWith({ options: { fancy: 'strings' } as never });
    const { options } = read({ ...ID_AND_SECRET, ACME_FANCY: 'a, b\tc' }, provider);
    expect(options).to.deep.include({ fancy: ['a', 'b', 'c'] });
  });

  it('readSetUp — names the variables that are missing, and where their values are', () => {
    const { findings, hasClient, settings, options } = readSetUp(
      acmeId(),
      'ACME',
      { ACME_CLIENT_SECRET: '' },
      false,
    );
    expect(findings).to.deep.equal([
      {
        part: 'variables',
        verdict: 'wrong',
        says: 'ACME_CLIENT_ID is not set.',
        mend: 'Set it in the environment, or in the file of --env-file. Copy both from Acme > Apps.',
      },
      {
        part: 'variables',
        verdict: 'wrong',
        says: 'ACME_CLIENT_SECRET has no value.',
        mend: 'Set it in the environment, or in the file of --env-file. Copy both from Acme > Apps. An app without a secret is checked with --public.',
      },
    ]);
    expect(hasClient).to.equal(false);
    expect(options).to.not.have.property('clientSecret');
    // The endpoints can be asked all the same.
    expect(settings?.context.endpoints.tokenEndpoint).to.equal('https://id.acme.test/token');
  });

  it('readSetUp — names the app where the provider has no remedy', () => {
    const { findings } = read({ ACME_CLIENT_ID: 'client-1' });
    expect(findings[0]?.mend).to.contain('Copy it from the app at Acme.');
  });

  it('readSetUp — needs no secret of a public client', () => {
    const environment = { ACME_CLIENT_ID: 'client-1' };
    const none = acmeWith({ clientAuthentication: 'none' });
    for (const setUp of [read(environment, acmeWith({}), true), read(environment, none)]) {
      expect(setUp.findings.map(({ says }) => says)).to.deep.equal(['ACME_CLIENT_ID is set.']);
      expect(setUp.hasClient).to.equal(true);
    }
  });

  for (const [variable, value, says] of [
    ['ACME_FANCY', 'yes', 'ACME_FANCY must be true or false.'],
    ['ACME_OFFLINE', 'on', 'ACME_OFFLINE must be true or false.'],
    [
      'ACME_TOKEN_URL',
      'acme.test/token',
      'ACME_TOKEN_URL must be an absolute URL: write https://acme.test/token.',
    ],
    [
      'ACME_CLIENT_ID',
      'undefined',
      'ACME_CLIENT_ID is the text "undefined": a variable was probably not set.',
    ],
    [
      'ACME_CLIENT_SECRET',
      `${SECRET}\n`,
      'ACME_CLIENT_SECRET has white space around it, such as the newline of a file; trim it.',
    ],
    [
      'ACME_CLIENT_SECRET',
      `"${SECRET}"`,
      'ACME_CLIENT_SECRET has quotation marks around its value.',
    ],
  ] as const) {
    it(`readSetUp — says "${says}"`, () => {
      const found = wrongs({ ...ID_AND_SECRET, [variable]: value });
      expect(found.map((one) => one.says)).to.deep.equal([says]);
      expect(JSON.stringify(found)).to.not.contain(SECRET);
    });
  }

  it('readSetUp — has no settings where an option is wrong', () => {
    expect(read({ ...ID_AND_SECRET, ACME_TOKEN_URL: 'http://acme.test' }).settings).to.equal(
      undefined,
    );
  });

  it('readSetUp — throws a fault of a description on', () => {
    const provider = acmeWith({
      endpoints: () => {
        throw new RangeError('a bug');
      },
    });
    expect(() => read(ID_AND_SECRET, provider)).to.throw(RangeError);
  });

  it('readSetUp — tells a misspelt variable, without its value', () => {
    const environment = { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECERT: SECRET, ACMEX: '1' };
    const notes = read(environment).findings.filter(({ verdict }) => verdict === 'note');
    expect(notes.map(({ says }) => says)).to.deep.equal([
      'ACME_CLIENT_SECERT is set, and is not read. Did you mean ACME_CLIENT_SECRET?',
    ]);
    expect(JSON.stringify(notes)).to.not.contain(SECRET);
    // The right one is set, or the name is far from all.
    const others = { ...ID_AND_SECRET, ACME_CLIENT_SECERT: 'x', ACME_LOG_LEVEL: 'x' };
    expect(read(others).findings).to.have.lengthOf(1);
  });

  it('withVariables — names the variables of options, and leaves other words', () => {
    const text = withVariables(
      'Set `issuer` and `clientID`, not `agent`.',
      setUpOf('https://a.test'),
    );
    expect(text).to.equal(
      'Set ACME_ISSUER (`issuer`) and ACME_CLIENT_ID (`clientID`), not `agent`.',
    );
  });
});
