/** The types of the packed packages, in a project that has other strategies, and Express, beside them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import * as packages from '../support/packages';
import { createProject, pack, remove, runNode, temporaryFolder, typeCheck } from './project';
import * as programs from './verify-programs';

const NEIGHBOURS = join(packages.ROOT, 'test', 'packaging', 'neighbours');
const INSTALL_LIMIT_MS = 300_000;

/** Each with its package, its class, and the provider's name. */
const STRATEGIES = packages.STRATEGIES.map((strategy) => {
  const { className, provider } = packages.exportsOf(strategy);
  return [strategy.name, className, provider.name] as const;
});
const PROVIDERS = STRATEGIES.map(([, , provider]) => provider);

/** Options of `authenticate` with a value that compiles, and the strategies that take them. */
const AUTHENTICATE_OPTIONS: readonly (readonly [option: string, takenBy: readonly string[]])[] = [
  ["scope: ['a'] as const", PROVIDERS],
  ["state: { returnTo: '/reports', count: 1 }", PROVIDERS],
  ["callbackURL: '/auth/callback'", PROVIDERS],
  ["returnTo: '/reports'", PROVIDERS],
  ['response: new ServerResponse(new IncomingMessage(new Socket()))', PROVIDERS],
  ["loginHint: 'zoe@example.com'", PROVIDERS],
  ["prompt: 'login'", PROVIDERS],
  ["prompt: 'login consent'", PROVIDERS],
  ["prompt: ['login', 'consent']", PROVIDERS],
  ['maxAge: 60', ['salesforce', 'salesos']],
  ["loginURL: 'https://test.salesforce.com'", ['salesforce']],
  ["display: 'popup'", ['salesforce']],
  ['immediate: true', ['salesforce']],
  ["ssoProvider: 'Azure'", ['salesforce']],
  ["organization: 'org_1'", ['salesos']],
  ["invitation: 'ticket'", ['salesos']],
  ["connection: 'google-oauth2'", ['salesos']],
  ["screenHint: 'signup'", ['salesos']],
  ["uiLocales: ['pt-BR', 'pt']", ['salesos']],
  ["acrValues: 'urn:mfa'", ['salesos']],
  ["audience: 'https://api.example.com'", ['salesos']],
  // Of no strategy of the family
  ["hostedDomain: 'example.com'", []],
  ["scopes: ['a']", []],
];

/** Values of a wrong type, which no strategy takes. */
const WRONG_VALUES = [
  "prompt: 'sometimes'",
  "prompt: ['none']",
  'prompt: true',
  'scope: 1',
  'callbackURL: 1',
  "response: 'res'",
  "maxAge: '60'",
  "display: 'wide'",
  'organization: 1',
];

const HEAD = `import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import express = require('express');
import passport = require('passport');
import google = require('passport-google-oauth20');
import github = require('passport-github2');
import azure = require('passport-azure-ad');
import local = require('passport-local');
${STRATEGIES.map(([name, className]) => `import ${className} = require('${name}');`).join('\n')}
export const all = [google, github, azure, local, ${STRATEGIES.map(([, name]) => name).join(', ')}];
export const used = [IncomingMessage, ServerResponse, Socket];
declare const app: express.Express;
`;

/** A route with an option; the next line but one when the compiler must refuse it. */
function route(method: string, strategy: string, option: string, compiles: boolean): string {
  const refused = compiles
    ? ''
    : '// @ts-expect-error -- not of this strategy, or of a wrong type\n';
  return `${refused}app.get('/', passport.${method}(${strategy}, { session: false, ${option} }));\n`;
}

describe('types beside other strategies', function () {
  this.timeout(60_000);
  let folder: string;

  before('install the neighbours', async function () {
    this.timeout(INSTALL_LIMIT_MS);
    if (!existsSync(join(NEIGHBOURS, 'node_modules', 'typescript-5.4'))) {
      execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
        cwd: NEIGHBOURS,
        stdio: 'inherit',
        shell: process.platform === 'win32',
        timeout: INSTALL_LIMIT_MS,
      });
    }
    folder = await temporaryFolder();
    // Copied: links would lead to a second @types/passport, which declares nothing for the first.
    await cp(join(NEIGHBOURS, 'node_modules'), join(folder, 'node_modules'), {
      recursive: true,
      filter: (path) => !/node_modules[\\/]typescript-/.test(path),
    });
    await createProject(folder, await pack(folder), []);
  });
  after(() => remove(folder));

  async function compilesAll(programsByFile: Record<string, string>): Promise<void> {
    const files = Object.entries(programsByFile).map(([file, code]) => [file, HEAD + code]);
    const { status, output } = await typeCheck(
      folder,
      Object.fromEntries(files) as Record<string, string>,
      { module: 'commonjs', moduleResolution: 'bundler', esModuleInterop: true },
    );
    expect(output).to.equal('');
    expect(status).to.equal(0);
  }
  const compiles = (code: string) => compilesAll({ 'app.ts': code });

  for (const method of ['authenticate', 'authorize']) {
    it(`${method} — takes each option at the strategies that have it, and at no other`, () =>
      compiles(
        AUTHENTICATE_OPTIONS.flatMap(([option, takenBy]) =>
          PROVIDERS.map((name) => route(method, `'${name}'`, option, takenBy.includes(name))),
        ).join(''),
      ));

    it(`${method} — takes no value of a wrong type`, () =>
      compiles(
        WRONG_VALUES.flatMap((option) =>
          PROVIDERS.map((name) => route(method, `'${name}'`, option, false)),
        ).join(''),
      ));
  }

  it('authenticate — takes an instance in place of the name', () =>
    compiles(
      STRATEGIES.flatMap(([, className, provider]) => [
        `declare const ${provider}: ${className};\n`,
        ...AUTHENTICATE_OPTIONS.map(([option, takenBy]) =>
          route('authenticate', provider, option, takenBy.includes(provider)),
        ),
      ]).join(''),
    ));

  it('authenticate — takes the exported options, those of Passport, a callback, or nothing', () =>
    compiles(
      STRATEGIES.map(
        ([, className, provider]) => `
{
  const own: ${className}.AuthenticateOptions = { state: 1, failureRedirect: '/', loginHint: 'zoe' };
  const shared: passport.AuthenticateOptions = { failureRedirect: '/' };
  const missing: Exclude<keyof passport.AuthenticateOptions, keyof ${className}.AuthenticateOptions> extends never ? true : false = true;
  void missing;
  app.get('/', passport.authenticate('${provider}'));
  app.get('/', passport.authenticate('${provider}', own));
  app.get('/', passport.authenticate('${provider}', shared));
  app.get('/', passport.authorize('${provider}', shared));
  app.get('/', passport.authenticate('${provider}', (error: Error | null, user?: { id: string } | false) => void [error, user]));
  app.get('/', passport.authenticate('${provider}', own, (error, user, info, status) => void [error, user, info, status]));
}`,
      ).join(''),
    ));

  it('authenticate — leaves the options of other names to Passport and to their packages', () =>
    compiles(`
app.get('/', passport.authenticate('google', { accessType: 'offline', display: 'any', prompt: 'any', hostedDomain: 'a' }));
app.get('/', passport.authenticate('local', { failureRedirect: '/', prompt: 'any' }));
app.get('/', passport.authenticate(['salesforce', 'local'], { session: false }));
app.get('/', passport.authenticate(new local.Strategy(() => undefined), { session: false }));
// @ts-expect-error -- not of google
passport.authenticate('google', { organization: 'org_1' });
// @ts-expect-error -- not of Passport
passport.authenticate('another', { loginURL: 'https://test.salesforce.com' });
// @ts-expect-error -- not of Passport
passport.authenticate(['salesforce', 'local'], { loginURL: 'https://test.salesforce.com' });
// @ts-expect-error -- an object as state is the family's
passport.authenticate('another', { state: { returnTo: '/' } });
const shared: passport.AuthenticateOptions = {};
// @ts-expect-error -- Passport's own interface is as it was
shared.callbackURL = '/';
`));

  it('authenticate — compiles where an application widens the options of Passport', () =>
    compiles(`
declare module 'passport' {
  interface AuthenticateOptions { loginURL?: number; audience?: string[]; theme?: 'dark' }
}
app.get('/', passport.authenticate('salesforce', { loginURL: 'https://test.salesforce.com', theme: 'dark' }));
app.get('/', passport.authenticate('salesos', { audience: 'a', theme: 'dark' }));
app.get('/', passport.authenticate('another', { loginURL: 1 }));
// @ts-expect-error -- a number is none of Salesforce's
app.get('/', passport.authenticate('salesforce', { loginURL: 1 }));
`));

  it('authenticate — takes, for one of several names, the options that all of them have', () =>
    compiles(`
for (const name of ['salesloft', 'salesos'] as const) {
  app.get('/', passport.authenticate(name));
  app.get('/', passport.authenticate(name, { loginHint: 'zoe', state: { returnTo: '/' } }));
  app.get('/', passport.authorize(name, { loginHint: 'zoe', state: { returnTo: '/' } }));
  // @ts-expect-error -- of SalesOS alone
  app.get('/', passport.authenticate(name, { organization: 'org_1' }));
}
declare const text: string;
app.get('/', passport.authenticate(text, { session: false, prompt: 'any' }));
`));

  it('authenticate — has the same types at an authenticator of its own, and leaves its names alone', () =>
    compiles(`
declare const salesloft: SalesloftStrategy;
for (const own of [new passport.Passport(), new passport.Authenticator()]) {
  own.use(salesloft).use('mine', salesloft);
  app.get('/', own.authenticate('salesloft', { loginHint: 'zoe', state: { returnTo: '/' } }));
  app.get('/', own.authenticate('mine', { session: false, prompt: 'any', state: 'text' }));
  // @ts-expect-error -- not of Salesloft
  app.get('/', own.authenticate('salesloft', { organization: 'org_1' }));
  // @ts-expect-error -- a name that no package has declared has Passport's own options
  app.get('/', own.authenticate('mine', { loginHint: 'zoe' }));
}
`));

  it('authenticate — takes the options of a strategy that an application adds by its name', () =>
    compiles(`
import { strategyFor } from 'crm-oauth2/passport';
import type { LoginOptions } from 'crm-oauth2/passport';
import { defineProvider } from 'crm-oauth2/provider';
const endpoints = { authorizationEndpoint: 'https://a.example/a', tokenEndpoint: 'https://a.example/t' };
class AcmeStrategy extends strategyFor(defineProvider({ name: 'acme', title: 'Acme', endpoints: () => endpoints })) {}
declare module 'crm-oauth2/passport' {
  interface Strategies {
    acme: [AcmeStrategy, LoginOptions & { theme?: 'dark' }];
  }
}
declare const acme: AcmeStrategy;
app.get('/', passport.authenticate('acme', { theme: 'dark', state: 1 }));
app.get('/', passport.authorize(acme, { theme: 'dark', state: 1 }));
// @ts-expect-error -- a wrong value
app.get('/', passport.authenticate('acme', { theme: 'light' }));
// @ts-expect-error -- of SalesOS
app.get('/', passport.authenticate('acme', { organization: 'org_1' }));
// @ts-expect-error -- of Acme
app.get('/', passport.authenticate('salesos', { theme: 'dark' }));
`));

  it('req.authInfo — has state, returnTo, tenant and warnings', () =>
    compiles(`
app.get('/', (req, res) => {
  const state: unknown = req.authInfo?.state;
  const texts: (string | undefined)[] = [req.authInfo?.returnTo, req.authInfo?.tenant];
  for (const { code, message, hint } of req.authInfo?.warnings ?? []) {
    texts.push(message, hint, code === 'state_unknown' ? code : undefined);
    // @ts-expect-error -- a misspelt code
    if (code === 'state_unknow') texts.push(code);
  }
  // @ts-expect-error -- a member that it does not have
  res.json({ state, texts, other: req.authInfo?.returnUrl });
});
`));

  it('req.authInfo — lets an application say the type of its state', () =>
    compiles(`
declare global {
  namespace Express {
    interface AuthInfo { state?: { cart: string }; more?: number }
  }
}
app.get('/', (req, res) => { res.json(req.authInfo?.state?.cart.length ?? req.authInfo?.more); });
`));

  it('each package — exports the types of verify, and of the error codes', () =>
    compiles(
      STRATEGIES.map(
        ([, className, provider]) => `
{
  const options = { clientID: 'a', clientSecret: 'b', callbackURL: '/cb' };
  const four: ${className}.VerifyFunction = (accessToken, refreshToken, profile, done) => {
    const known: [string, string | undefined, '${provider}'] = [accessToken, refreshToken, profile.provider];
    done(null, known);
  };
  const five: ${className}.VerifyFunctionWithParams = (accessToken, refreshToken, params, profile, done) => {
    const known: [string, string | undefined, unknown, '${provider}'] = [accessToken, refreshToken, params.scope, profile.provider];
    done(null, known);
  };
  const withRequest: ${className}.VerifyFunctionWithRequest = (req, _access, _refresh, profile, done) => done(null, [req.url, profile.id]);
  const six: ${className}.VerifyFunctionWithRequestAndParams = (req, _access, _refresh, params, profile, done) => done(null, [req.url, params.scope, profile.id]);
  const typed: ${className}.TypedVerify = ({ tokens, profile }: ${className}.VerifyContext) => [tokens.accessToken, profile.id];
  // @ts-expect-error -- a field that the profile does not have
  const wrong: ${className}.VerifyFunction = (_access, _refresh, profile) => profile.nonsense;
  new ${className}(options, four);
  new ${className}(options, five);
  new ${className}({ ...options, passReqToCallback: true }, withRequest);
  new ${className}({ ...options, passReqToCallback: true }, six);
  new ${className}({ ...options, verify: typed });
  // @ts-expect-error -- six arguments need passReqToCallback
  new ${className}(options, six);
  const code: ${className}.ErrorCode = 'state_unknown';
  // @ts-expect-error -- a misspelt code
  const misspelt: ${className}.ErrorCode = 'state_unknow';
  const done: ${className}.Done = () => undefined;
  const store: ${className}.StateStore = new ${className}.CookieStateStore({ secrets: ['s'] });
  void [wrong, code, misspelt, done, store];
}`,
      ).join(''),
    ));

  const VERIFY = {
    'exports options that fit its constructor, and that of a subclass': programs.OPTIONS,
    'gives verify a profile, none under skipUserProfile: true, or perhaps one': programs.PROFILES,
    'takes a verify function that returns, promises or passes on the user': programs.RETURNED,
    'expects the user that the application declares': programs.USERS,
    'reads a variable as skipUserProfile as the two things it can be': programs.PERHAPS,
  };
  for (const [behaviour, program] of Object.entries(VERIFY)) {
    it(`each strategy — ${behaviour}`, () =>
      compilesAll(
        Object.fromEntries(
          STRATEGIES.map(([, className, provider]) => [`${provider}.ts`, program(className)]),
        ),
      ));
  }

  for (const compiler of ['typescript-5.4', 'typescript-6']) {
    it(`${compiler} — reads the types as the compiler of this repository does`, async function () {
      this.timeout(300_000);
      const routes = AUTHENTICATE_OPTIONS.flatMap(([option, takenBy]) =>
        PROVIDERS.map((name) => route('authenticate', `'${name}'`, option, takenBy.includes(name))),
      );
      const { output } = await typeCheck(
        folder,
        {
          'app.ts': HEAD + routes.join(''),
          'options.ts': HEAD + programs.OPTIONS('SalesforceStrategy'),
          'profiles.ts': HEAD + programs.PROFILES('SalesforceStrategy'),
        },
        { module: 'nodenext', moduleResolution: 'nodenext' },
      );
      expect(output).to.equal('');
      const tsc = join(NEIGHBOURS, 'node_modules', compiler, 'bin', 'tsc');
      expect(await runNode(folder, [tsc, '-p', '.'])).to.deep.equal({ status: 0, output: '' });
    });
  }

  it('@fastify/passport — takes the options of a strategy as an object, once they are checked', async () => {
    const { status, output } = await typeCheck(
      folder,
      {
        'app.mts': `import fastifyPassport from '@fastify/passport';
import { fastify } from 'fastify';
import { Strategy } from 'passport-salesos';
const app = fastify();
fastifyPassport.use(new Strategy({ clientID: 'a', callbackURL: '/cb' }, (_access, _refresh, profile, done) => done(null, profile)));
app.get('/a', (request, reply) => {
  const options = {
    loginHint: 'zoe', prompt: ['login', 'consent'], organization: 'org_1', state: { plan: 1 }, response: reply.raw,
  } satisfies Strategy.AuthenticateOptions;
  return fastifyPassport.authenticate('salesos', options as object).call(app, request, reply);
});
app.get('/b', { preValidation: fastifyPassport.authorize('salesos', { maxAge: 60 } satisfies Strategy.AuthenticateOptions as object) }, async () => undefined);
// @ts-expect-error -- the types of @fastify/passport do not know it
fastifyPassport.authenticate('salesos', { loginHint: 'zoe' });
// @ts-expect-error -- not of SalesOS
({ loginURL: 'https://test.salesforce.com' }) satisfies Strategy.AuthenticateOptions;
`,
      },
      // The declarations of fastify's own dependencies are not the concern here.
      { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true },
    );
    expect(output).to.equal('');
    expect(status).to.equal(0);
  });

  it('docs/using-a-strategy.md — has TypeScript that compiles', async () => {
    const page = readFileSync(join(packages.ROOT, 'docs', 'using-a-strategy.md'), 'utf8');
    const snippets = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = '']) => code);
    expect(snippets.length).to.be.greaterThan(2);
    const names = `declare const users: { upsert(id: string, token?: string): Promise<{ id: string }> };
declare const app: FastifyInstance;
declare const [clientID, clientSecret, callbackURL, loginHint]: [string, string, string, string];
`;
    const { status, output } = await typeCheck(
      folder,
      Object.fromEntries(
        snippets.map((code, at) => [
          `snippet-${at}.mts`,
          `import type { FastifyInstance } from 'fastify';\n${code}${names}`,
        ]),
      ),
      { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true },
    );
    expect(output).to.equal('');
    expect(status).to.equal(0);
  });

  it('nodenext, ES modules — type-checks beside the neighbours', async () => {
    const { status, output } = await typeCheck(
      folder,
      {
        'app.mts': `import passport from 'passport';
import { Strategy as GoogleStrategy } from 'passport-google-oauth20';
import SalesforceStrategy, { Strategy, type AuthenticateOptions } from 'passport-salesforce-oauth2';
const options: AuthenticateOptions = { display: 'page' };
passport.authenticate('salesforce', options);
passport.authenticate('google', { display: 'any' });
// @ts-expect-error -- not of Salesforce
passport.authenticate('salesforce', { organization: 'org_1' });
export const used = [GoogleStrategy, SalesforceStrategy, Strategy];
`,
      },
      { module: 'nodenext', moduleResolution: 'nodenext', exactOptionalPropertyTypes: true },
    );
    expect(output).to.equal('');
    expect(status).to.equal(0);
  });
});
