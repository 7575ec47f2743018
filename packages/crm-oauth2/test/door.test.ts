/** The doors: their names, and the modules that each of them loads. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';

/** Runs a program in a process in which the named packages are not installed. */
function withoutPackages(names: readonly string[], program: string): string {
  const hook = `
    const Module = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (request, ...rest) {
      const missing = ${JSON.stringify(names)}.some((name) => request === name || request.startsWith(name + '/'));
      if (missing) throw Object.assign(new Error('Cannot find module ' + request), { code: 'MODULE_NOT_FOUND' });
      return resolve.call(this, request, ...rest);
    };`;
  return execFileSync(process.execPath, ['-e', `${hook}\n${program}`], {
    cwd: path.join(__dirname, '..'),
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  }).trim();
}

const PASSPORT = ['passport', 'passport-oauth2', 'oauth', 'express', 'express-session'];

/** The names of a door, and the files that it loads. */
function open(door: string, absent: readonly string[]): { names: string[]; files: string[] } {
  const program = `
    const names = Object.keys(require('${door}'));
    process.stdout.write(JSON.stringify({ names, files: Object.keys(require.cache) }))`;
  return JSON.parse(withoutPackages(absent, program)) as { names: string[]; files: string[] };
}

const filesOf = ({ files }: { files: string[] }) => files.map((file) => path.basename(file));

describe('doors', () => {
  it('crm-oauth2 — loads two files of its own, no passport-oauth2, and jose only for a token', () => {
    const door = open('crm-oauth2', [...PASSPORT, 'jose']);
    expect(filesOf(door)).to.have.members(['index.js', 'core.js']);
    expect(door.names).to.have.members([
      'MemoryTokenStore',
      'OAuth2Client',
      'OAuth2Error',
      'PostgresTokenStore',
      'RedisTokenStore',
      'SealedValues',
      'UserTokens',
      'authorizedFetch',
      'clientCredentials',
      'isOAuth2Error',
      'planRefreshes',
      'staticToken',
      'userTokens',
    ]);
  });

  // A getter would be called at each use of a name, hundreds of times a login.
  for (const door of ['', '/passport', '/provider', '/testing']) {
    it(`crm-oauth2${door} — exports plain values`, () => {
      const { default: _, ...names } = Object.getOwnPropertyDescriptors(
        require(`crm-oauth2${door}`) as Record<string, unknown>,
      );
      const getters = Object.entries(names).filter(([, { get }]) => get !== undefined);
      expect(getters).to.deep.equal([]);
      expect(Object.keys(names)).not.to.deep.equal([]);
    });
  }

  it('crm-oauth2 — works where passport-oauth2 is not installed', () => {
    const outcome = withoutPackages(
      PASSPORT,
      `const { OAuth2Client, isOAuth2Error } = require('crm-oauth2');
      const { defineProvider } = require('crm-oauth2/provider');
      const endpoint = 'http://127.0.0.1:1/';
      const acme = defineProvider({
        name: 'acme',
        title: 'Acme',
        endpoints: () => ({ authorizationEndpoint: endpoint, tokenEndpoint: endpoint }),
      });
      new OAuth2Client(acme, { clientID: 'a' }).refreshTokenGrant('r').catch((error) => {
        process.stdout.write([error.name, error.code, isOAuth2Error(error)].join(' '));
      });`,
    );
    expect(outcome).to.match(/^OAuth2Error \w+ true$/);
  });

  it('crm-oauth2/provider — loads the same two files', () => {
    const door = open('crm-oauth2/provider', [...PASSPORT, 'jose']);
    expect(filesOf(door)).to.have.members(['provider.js', 'core.js']);
    expect(door.names).to.have.members([
      'Problem',
      'defineProvider',
      'discover',
      'isJsonObject',
      'isLoopback',
      'joined',
      'mapStandardClaims',
      'namesPerson',
      'providerCode',
      'text',
      'wholeNumber',
      'withoutUndefined',
    ]);
  });

  it('crm-oauth2/passport — loads where Passport is not installed: the application brings it', () => {
    const door = open('crm-oauth2/passport', ['passport', 'express', 'express-session', 'jose']);
    expect(door.names).to.have.members([
      'AuthorizationError',
      'CookieStateStore',
      'InternalOAuthError',
      'ProviderStrategy',
      'SessionStateStore',
      'TokenError',
      'loginHandler',
      'publishStrategy',
      'strategyFor',
    ]);
    expect(filesOf(door)).to.include.members(['passport.js', 'core.js']);
    expect(filesOf(door)).not.to.include('testing.js');
  });

  it("crm-oauth2/passport — a login compiles nothing of the tokens' later life", () => {
    const door = open('crm-oauth2/passport', ['passport', 'express', 'express-session', 'jose']);
    const own = door.files.filter((file) => file.includes(path.join('crm-oauth2', 'lib')));
    expect(own.map((file) => path.basename(file))).to.have.members(['passport.js', 'core.js']);
    for (const file of own)
      expect(readFileSync(file, 'utf8')).not.to.match(/class \w*TokenStore\b/);
  });

  it('crm-oauth2/testing — loads with no more than Node', () => {
    const door = open('crm-oauth2/testing', [...PASSPORT, 'jose', 'mocha', 'chai', 'nock']);
    expect(filesOf(door)).to.have.members(['testing.js', 'core.js']);
  });

  it('doors — share each class', () => {
    const program = `
      const { isOAuth2Error } = require('crm-oauth2');
      const { TokenError } = require('crm-oauth2/passport');
      process.stdout.write(String(isOAuth2Error(new TokenError('m', 'c'))));`;
    expect(withoutPackages([], program)).to.equal('true');
  });

  it('the hook of these tests does refuse what is absent', () => {
    const outcome = withoutPackages(
      PASSPORT,
      `try { require('passport'); } catch (error) { process.stdout.write(error.code); }`,
    );
    expect(outcome).to.equal('MODULE_NOT_FOUND');
  });

  it('no other file is exported', () => {
    const outcome = withoutPackages(
      [],
      `try { require('crm-oauth2/lib/core.js'); } catch (error) { process.stdout.write(error.code); }`,
    );
    expect(outcome).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
