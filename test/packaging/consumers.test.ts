/** The packed packages, used from CommonJS, from ES modules and from TypeScript. */
import { expect } from 'chai';
import * as packages from '../support/packages';
import {
  createProject,
  evaluate,
  pack,
  remove,
  runNode,
  temporaryFolder,
  typeCheck,
} from './project';

/** Each with its package, its class, and the description that it exports under the provider's name. */
const STRATEGIES = packages.STRATEGIES.map((strategy) => {
  const { className, provider } = packages.exportsOf(strategy);
  return [strategy.name, className, provider.name] as const;
});

/** The dependencies of the packages, and the types that an application has. No Passport, no Express. */
const THIRD_PARTY = [
  'passport-oauth2',
  'jose',
  'oidc-provider',
  '@types/node',
  '@types/passport-oauth2',
];

describe('packages in use', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await temporaryFolder();
    await createProject(folder, await pack(folder), THIRD_PARTY);
  });
  after(() => remove(folder));

  describe('at run time, where Passport is not installed', () => {
    for (const [name, className, provider] of STRATEGIES) {
      it(`require('${name}') — is the class, and has its names as own statics`, async () => {
        const found = await evaluate(
          folder,
          'require.cjs',
          `const loaded = require('${name}');
          const own = (name) => Object.getOwnPropertyDescriptor(loaded, name)?.value;
          const OAuth2Strategy = require('passport-oauth2');
          const strategy = new loaded({ clientID: 'a', callbackURL: '/cb' }, () => {});
          console.log(JSON.stringify({
            type: typeof loaded,
            className: loaded.name,
            same: ['Strategy', 'default', '${className}'].map((name) => own(name) === loaded),
            notInherited: loaded.Strategy !== OAuth2Strategy.Strategy,
            errors: ['AuthorizationError', 'TokenError', 'InternalOAuthError'].map(
              (name) => own(name)?.prototype instanceof OAuth2Strategy[name],
            ),
            provider: own('${provider}').name,
            strategy: strategy.name,
            instance: strategy instanceof OAuth2Strategy,
            store: typeof own('CookieStateStore'),
          }));`,
        );
        expect(found).to.deep.equal({
          type: 'function',
          className,
          same: [true, true, true],
          notInherited: true,
          errors: [true, true, true],
          provider,
          strategy: provider,
          instance: true,
          store: 'function',
        });
      });

      it(`import '${name}' — has the class as default, and its names`, async () => {
        const found = await evaluate(
          folder,
          'import.mjs',
          `import loaded, { Strategy, ${className}, ${provider}, CookieStateStore, TokenError,
            AuthorizationError, InternalOAuthError } from '${name}';
          import * as names from '${name}';
          import { CookieStateStore as store, TokenError as base } from 'crm-oauth2/passport';
          console.log(JSON.stringify({
            className: loaded.name,
            same: [Strategy === loaded, ${className} === loaded, names.default === loaded],
            provider: ${provider}.name,
            shared: [TokenError === base, CookieStateStore === store],
            errors: [AuthorizationError.name, InternalOAuthError.name],
          }));`,
        );
        expect(found).to.deep.equal({
          className,
          same: [true, true, true],
          provider,
          shared: [true, true],
          errors: ['AuthorizationError', 'InternalOAuthError'],
        });
      });
    }

    it('crm-oauth2 — loads no Passport package unless its Passport door is opened', async () => {
      const found = await evaluate(
        folder,
        'door.cjs',
        `const { OAuth2Client, isOAuth2Error } = require('crm-oauth2');
        const { defineProvider } = require('crm-oauth2/provider');
        const { providerChecks, tokenStoreChecks } = require('crm-oauth2/testing');
        const passport = Object.keys(require.cache).filter((file) => /passport/.test(file));
        const { AuthorizationError } = require('crm-oauth2/passport');
        const names = [OAuth2Client, isOAuth2Error, defineProvider, providerChecks, tokenStoreChecks];
        const error = new AuthorizationError('refused', 'access_denied');
        console.log(JSON.stringify([names.map((one) => typeof one), passport, isOAuth2Error(error)]));`,
      );
      const five = Array.from({ length: 5 }, () => 'function');
      expect(found).to.deep.equal([five, [], true]);
    });

    it('crm-oauth2 — can be loaded by its doors only', async () => {
      const { status, output } = await runNode(folder, [
        '-e',
        "require('crm-oauth2/dist/wire/http')",
      ]);
      expect(status).to.equal(1);
      expect(output).to.contain('ERR_PACKAGE_PATH_NOT_EXPORTED');
    });

    it('crm-emulator — is required and imported', async () => {
      const code = `startEmulator().then(async (emulator) => {
        await emulator.close();
        console.log(JSON.stringify(Object.keys(emulator)));
      });`;
      const keys = ['salesloft', 'salesos', 'salesforce', 'close'];
      const load = "const { startEmulator } = require('crm-emulator');";
      expect(await evaluate(folder, 'emulator.cjs', load + code)).to.deep.equal(keys);
      const from = "import { startEmulator } from 'crm-emulator';";
      expect(await evaluate(folder, 'emulator.mjs', from + code)).to.deep.equal(keys);
    });

    it('crm-emulator — prints its version and its usage, and refuses a wrong port', async () => {
      const cli = 'node_modules/crm-emulator/dist/cli.js';
      expect((await runNode(folder, [cli, '--version'])).output).to.match(/^\d+\.\d+\.\d+\n$/);
      expect((await runNode(folder, [cli, '--help'])).output).to.contain('--port N');
      expect((await runNode(folder, [cli, '--port', 'x'])).status).to.equal(2);
    });
  });

  describe('for TypeScript', () => {
    /** The same program in the three ways to load a package. */
    function program(name: string, load: string): string {
      return `${load}
import type { Done } from 'crm-oauth2/passport';
import { OAuth2Client } from 'crm-oauth2';
const options = { clientID: 'a', clientSecret: 'b', callbackURL: '/cb' };

// Four arguments are typed by their place.
new Strategy(options, (accessToken, refreshToken, profile, done) => {
  const texts: [string, string | undefined, string] = [accessToken, refreshToken, profile.id];
  const provider: Strategy.Profile['provider'] = profile.provider;
  done(null, { texts, provider });
});
// With params, and with the request: these forms need their types written down.
new Strategy(options, (access: string, refresh: string | undefined, params: object, profile: Strategy.Profile, done: Done) =>
  done(null, { access, refresh, params, id: profile.id }));
new Strategy({ ...options, passReqToCallback: true }, (req, accessToken, refreshToken, profile, done) => {
  const texts: [string, string, string | undefined, string] = [req.url, accessToken, refreshToken, profile.id];
  done(null, texts);
});
new Strategy({ ...options, passReqToCallback: true }, (req: { url: string }, access: string, refresh: string | undefined, params: object, profile: Strategy.Profile, done: Done) =>
  done(null, { req, access, refresh, params, id: profile.id }));
new Strategy(options, async (accessToken, _refreshToken, profile) => ({ accessToken, id: profile.id }));
new Strategy(options, () => undefined);
const strategy = new Strategy({
  ...options,
  verify: ({ tokens, profile, req, state }) => {
    const known: [string, number | undefined, string, string, unknown] = [tokens.accessToken, tokens.expiresAt, profile.id, req.url, state];
    return known;
  },
});
const profile: Promise<Strategy.Profile> = new OAuth2Client(described, options).fetchProfile({ accessToken: 'a', tokenType: 'Bearer', response: {} });
const fresh: Promise<Strategy.TokenSet> = strategy.client.refreshTokenGrant('r');
const all: Strategy.Options = { ...options, timeout: 5_000, scope: ['a'] };
export const used = [profile, fresh, all, ${name}];

// @ts-expect-error -- an option that does not exist
new Strategy({ ...options, callbackUrl: '/cb' }, () => undefined);
// @ts-expect-error -- no verify function
new Strategy(options);
// @ts-expect-error -- an option that cannot be turned off
new Strategy({ ...options, state: false }, () => undefined);
// @ts-expect-error -- a field that the profile does not have
new Strategy(options, (_a, _r, typed, done) => done(null, typed.nonsense));
`;
    }

    const named = (name: string, className: string, provider: string) =>
      program(
        className,
        `import ${className}, { Strategy, ${provider} as described } from '${name}';`,
      );
    const required = (name: string, className: string, provider: string) =>
      program(
        className,
        `import ${className} = require('${name}');
import Strategy = ${className}.Strategy;
const described = ${className}.${provider};`,
      );

    async function passes(files: Record<string, string>, options: Record<string, unknown>) {
      const { status, output } = await typeCheck(folder, files, options);
      expect(output).to.equal('');
      expect(status).to.equal(0);
    }

    const emulatorUse = `import { startEmulator } from 'crm-emulator';
import type { Emulator, Fault } from 'crm-emulator';
const fault: Fault = { step: 'token', kind: 'slow', delayMs: 5 };
export async function start(): Promise<Emulator> {
  const emulator = await startEmulator({ port: 0, people: [{ name: 'Ada' }] });
  emulator.salesforce.fault(fault);
  return emulator;
}
`;

    const each = (extension: string, write: typeof named) =>
      Object.fromEntries(
        STRATEGIES.map(([name, className, provider]) => [
          `${provider}.${extension}`,
          write(name, className, provider),
        ]),
      );

    it('nodenext, CommonJS — type-checks default and named imports', () =>
      passes(
        { ...each('cts', named), 'emulator.cts': emulatorUse },
        { module: 'nodenext', moduleResolution: 'nodenext' },
      ));

    it('nodenext, CommonJS — type-checks import = require', () =>
      passes(each('cts', required), { module: 'nodenext', moduleResolution: 'nodenext' }));

    it('nodenext, ES modules — type-checks default and named imports', () =>
      passes(
        { ...each('mts', named), 'emulator.mts': emulatorUse },
        { module: 'nodenext', moduleResolution: 'nodenext' },
      ));

    it('node20 — type-checks both kinds of module', () =>
      passes({ ...each('mts', named), ...each('cts', required) }, { module: 'node20' }));

    it('node16 — type-checks both kinds of module', () =>
      passes({ ...each('mts', named), ...each('cts', required) }, { module: 'node16' }));

    it('commonjs — type-checks default, named and require imports', async () => {
      await passes(each('ts', named), { module: 'commonjs' });
      await passes(each('ts', required), { module: 'commonjs' });
    });

    it('bundler — type-checks default and named imports', () =>
      passes(
        { ...each('ts', named), 'emulator.ts': emulatorUse },
        { module: 'esnext', moduleResolution: 'bundler' },
      ));

    it('nodenext — type-checks with exactOptionalPropertyTypes and verbatimModuleSyntax', () =>
      passes(each('mts', named), {
        module: 'nodenext',
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        skipLibCheck: true,
      }));
  });
});
