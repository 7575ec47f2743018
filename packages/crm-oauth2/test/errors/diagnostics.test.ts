/** Subscribes to the events of logins and of single requests. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DiagnosticsEvent } from '../../dist/errors/diagnostics';
import { isObserved, loginId } from '../../dist/errors/diagnostics';
import { AcmeStrategy, OPTIONS, request, run, start } from '../passport/support';
import nock = require('nock');
import { ORIGIN, mockTheNetwork } from '../support';

describe('diagnostics', () => {
  const events: DiagnosticsEvent[] = [];
  const listen = (event: unknown) => events.push(event as DiagnosticsEvent);

  mockTheNetwork();

  beforeEach(() => {
    events.length = 0;
    subscribe('crm-oauth2', listen);
  });
  afterEach(() => {
    unsubscribe('crm-oauth2', listen);
  });

  const strategy = () =>
    Reflect.construct(AcmeStrategy, [
      OPTIONS,
      (_a: string, _r: string, profile: object) => Promise.resolve(profile),
    ]) as AcmeStrategy;

  const callback = (session: object, query: object) =>
    request({ url: '/auth/acme/callback', session, query });

  it('name a login alike before and after the redirect', async () => {
    nock(ORIGIN).post('/token').reply(200, { access_token: 'at-planted', token_type: 'Bearer' });
    nock(ORIGIN).get('/me').reply(200, { sub: '7', name: 'Zoë' });
    const session = {};
    const acme = strategy();
    const { state } = await start(acme, session);
    await run(acme, callback(session, { code: 'code-planted', state }));
    expect(events.map(({ event }) => event)).to.deep.equal([
      'login.started',
      'login.returned',
      'request',
      'request',
      'login.ended',
    ]);
    expect(new Set(events.map(({ login }) => login))).to.deep.equal(new Set([loginId(state)]));
    expect(events.map(({ provider }) => provider)).to.deep.equal(Array(5).fill('acme'));
    expect(events[2]).to.include({
      method: 'POST',
      host: 'acme.test',
      path: '/token',
      status: 200,
    });
    expect(events[3]).to.include({ method: 'GET', path: '/me', status: 200 });
    expect(events[4]).to.include({ outcome: 'success' });
    expect(events.every((event) => Object.isFrozen(event))).to.equal(true);
  });

  it('report why a login failed', async () => {
    nock(ORIGIN).post('/token').reply(400, { error: 'invalid_grant' });
    const session = {};
    const acme = strategy();
    const { state } = await start(acme, session);
    await run(acme, callback(session, { code: 'code-planted', state }));
    expect(events.at(-1)).to.include({
      event: 'login.ended',
      outcome: 'error',
      code: 'invalid_grant',
      stage: 'token',
    });
    expect(events.at(-1)?.hint).to.be.a('string');
    await run(acme, callback(session, { code: 'code-planted', state }));
    expect(events.at(-1)).to.include({ outcome: 'fail', code: 'already_completed' });
  });

  it('report a request that has no answer', async () => {
    nock(ORIGIN)
      .post('/token')
      .replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const error = await strategy()
      .client.refreshTokenGrant('rt-planted')
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).to.include({ code: 'connection_refused' });
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ event: 'request', code: 'connection_refused', path: '/token' });
    expect(events[0]).not.to.have.property('status');
  });

  it('hold no code, token, state or secret', async () => {
    nock(ORIGIN).post('/token').reply(200, {
      access_token: 'at-planted',
      refresh_token: 'rt-planted',
      token_type: 'Bearer',
    });
    nock(ORIGIN).get('/me').reply(200, { sub: '7', name: 'Zoë' });
    const session = {};
    const acme = strategy();
    const { state } = await start(acme, session, { state: 'app-planted' });
    await run(acme, callback(session, { code: 'code-planted', state, 'a b\nc': 'x' }));
    const printed = JSON.stringify(events);
    for (const secret of ['planted', state, OPTIONS.clientSecret, 'a b']) {
      expect(printed).not.to.include(secret);
    }
  });

  it('are built only while a subscriber reads them', () => {
    expect(isObserved()).to.equal(true);
    unsubscribe('crm-oauth2', listen);
    expect(isObserved()).to.equal(false);
  });

  it('name each login by ten characters, which are not the beginning of a hash of its state', () => {
    const names = ['state-1', 'state-2'].map(loginId);
    expect(names[0]).to.match(/^[\w-]{10}$/);
    expect(names[0]).not.to.equal(names[1]);
    const hash = createHash('sha256').update('state-1').digest('base64url');
    expect(hash.startsWith(names[0] as string)).to.equal(false);
  });

  it('NODE_DEBUG=crm-oauth2 — prints them; without it, nothing is printed', () => {
    const script = `
      const { publish, isObserved } = require(${JSON.stringify(join(__dirname, '..', '..', 'dist', 'errors', 'diagnostics'))});
      if (isObserved()) {
        publish({ event: 'login.ended', login: 'abc', provider: 'acme', code: 'timeout', stage: 'token', host: undefined });
        publish({ event: 'request', provider: 'acme', status: 200 });
      }
    `;
    const print = (NODE_DEBUG: string) =>
      spawnSync(process.execPath, ['-e', script], {
        encoding: 'utf8',
        env: { ...process.env, NODE_DEBUG },
      }).stderr;
    expect(print('crm-oauth2').replaceAll(/\d+: /g, 'PID: ')).to.equal(
      'CRM-OAUTH2 PID: abc acme login.ended code="timeout" stage="token"\n' +
        'CRM-OAUTH2 PID: - acme request status=200\n',
    );
    expect(print('')).to.equal('');
  });
});
