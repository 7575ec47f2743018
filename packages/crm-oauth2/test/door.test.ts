import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
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

const ABSENT = ['passport', 'express', 'express-session'];

describe('doors', () => {
  it('door 1 loads where Passport is not installed', () => {
    const names = withoutPackages(
      ABSENT,
      `process.stdout.write(Object.keys(require('crm-oauth2')).sort().join(' '))`,
    ).split(' ');
    expect(names).to.include.members([
      'AuthorizationError',
      'Deadline',
      'InternalOAuthError',
      'OAuth2Client',
      'Problem',
      'TokenError',
      'defineProvider',
    ]);
    expect(names).not.to.include('ProviderStrategy');
  });

  it('door 2 loads where Passport is not installed either: the application brings it', () => {
    const names = withoutPackages(
      ABSENT,
      `process.stdout.write(Object.keys(require('crm-oauth2/passport')).sort().join(' '))`,
    ).split(' ');
    expect(names).to.include.members([
      'CookieStateStore',
      'ProviderStrategy',
      'SessionStateStore',
      'strategyFor',
    ]);
  });

  it('door 3 loads with no more than Node', () => {
    const files = withoutPackages(
      [...ABSENT, 'passport-oauth2', 'jose', 'mocha', 'chai'],
      `require('crm-oauth2/conformance'); process.stdout.write(Object.keys(require.cache).join('\\n'))`,
    ).split('\n');
    expect(files).to.have.length(1);
    expect(files[0]).to.include(path.join('lib', 'conformance.js'));
  });

  it('door 1 loads two files of its own, none of door 3, and jose only for a token', () => {
    const files = withoutPackages(
      ABSENT,
      `require('crm-oauth2'); process.stdout.write(Object.keys(require.cache).join('\\n'))`,
    );
    const own = files.split('\n').filter((file) => file.includes(path.join('crm-oauth2', 'lib')));
    expect(own.map((file) => path.basename(file))).to.have.members(['index.js', 'passport.js']);
    expect(files).not.to.include('conformance');
    expect(files).not.to.include(`${path.sep}jose${path.sep}`);
  });

  it('the hook of these tests does refuse what is absent', () => {
    const outcome = withoutPackages(
      ABSENT,
      `try { require('passport'); } catch (error) { process.stdout.write(error.code); }`,
    );
    expect(outcome).to.equal('MODULE_NOT_FOUND');
  });

  it('no other file is exported', () => {
    const outcome = withoutPackages(
      [],
      `try { require('crm-oauth2/dist/wire/http'); } catch (error) { process.stdout.write(error.code); }`,
    );
    expect(outcome).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
