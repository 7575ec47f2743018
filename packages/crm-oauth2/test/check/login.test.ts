/** One login on a local port: its callback, its end, and requests that are not of it. */
import * as http from 'node:http';
import { expect } from 'chai';
import { LoginError, logInOnce } from '../../dist/check/login';
import { OAuth2Client } from '../../dist/index';
import { SECRET, freePort, httpServer, portOf, rejection, useRealSockets } from '../support';
import { acmeId } from './support';

interface Begun {
  /** `state` of the authorization request. */
  state: string;
  callback: string;
}

/** Begins a login; `come` plays the browser that comes back. */
async function logIn(come: (begun: Begun) => Promise<void>, waitMs = 5000, path = '/cb') {
  const issuer = await httpServer(({ url }, response) => {
    const token = { access_token: 'at', token_type: 'Bearer', expires_in: 60 };
    const body = url === '/token' ? token : { sub: 'suri', name: 'Suri' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const client = new OAuth2Client(acmeId({ idToken: 'none', scope: [] }), {
    clientID: 'client-1',
    clientSecret: SECRET,
    issuer,
  });
  const callback = `http://127.0.0.1:${await unusedPort()}${path}`;
  let coming: Promise<void> = Promise.resolve();
  const loggedIn = logInOnce(client, callback, waitMs, (url) => {
    const state = new URL(url).searchParams.get('state') ?? '';
    coming = come({ state, callback });
  });
  const [outcome] = await Promise.allSettled([loggedIn]);
  await coming;
  client.close();
  if (outcome.status === 'rejected') throw outcome.reason;
  const result = outcome.value;
  return { result, callback };
}

/** `freePort` of the others closes every server. */
async function unusedPort(): Promise<number> {
  const server = http.createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const visit = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
};

describe('login of the check', () => {
  useRealSockets();

  it('RFC 6749 §4.1.2 — takes the answer, the tokens and the profile', async () => {
    let page: Awaited<ReturnType<typeof visit>> | undefined;
    const { result, callback } = await logIn(async (begun) => {
      page = await visit(`${begun.callback}?code=c0de&state=${begun.state}&extra=1`);
    });
    expect(result.callback).to.include({ code: 'c0de', extra: '1' });
    expect(result.tokens.accessToken).to.equal('at');
    expect(result.profile).to.include({ id: 'suri', displayName: 'Suri' });
    expect(result.took).to.be.within(0, 5000);
    expect(page).to.include({
      status: 200,
      text: 'The answer has arrived. You can close this page.\n',
    });
    expect(page?.headers.get('cache-control')).to.equal('no-store');
    expect(page?.headers.get('referrer-policy')).to.equal('no-referrer');
    // The port is free again.
    expect(await rejection(fetch(callback))).to.be.instanceOf(TypeError);
  });

  it('form_post — is taken too', async () => {
    const { result } = await logIn(async ({ callback, state }) => {
      const body = new URLSearchParams({ code: 'c0de', state });
      expect((await visit(callback, { method: 'POST', body })).status).to.equal(200);
    });
    expect(result.callback).to.have.property('code', 'c0de');
  });

  it('RFC 6749 §10.12 — an answer of another login, and any other request, do not end it', async () => {
    const seen: number[] = [];
    const { result } = await logIn(async ({ callback, state }) => {
      const ask = async (url: string, init?: RequestInit) =>
        seen.push((await visit(url, init)).status);
      await ask(`${callback}?code=stolen&state=other`);
      await ask(`${callback}?error=access_denied`);
      await ask(`${callback}/deeper?code=c&state=${state}`);
      await ask(new URL('/favicon.ico', callback).href);
      await ask(`${callback}?code=c&state=${state}`, { method: 'PUT' });
      const body = new URLSearchParams({ state, code: 'x'.repeat(70_000) });
      await ask(callback, { method: 'POST', body });
      await ask(`${callback}?code=mine&state=${state}`);
    });
    expect(seen).to.deep.equal([400, 400, 404, 404, 404, 404, 200]);
    expect(result.callback).to.have.property('code', 'mine');
  });

  it('a flood of other answers — ends it', async () => {
    const error = await rejection(
      logIn(async ({ callback }) => {
        for (let count = 0; count < 101; count += 1) {
          await visit(`${callback}?state=other`).catch(() => undefined);
        }
      }),
    );
    expect(error).to.be.instanceOf(LoginError);
    expect(error.message).to.equal('too many answers are of another login');
  });

  it('RFC 6749 §4.1.2.1 — a refusal is an error with its code', async () => {
    const error = await rejection(
      logIn(async ({ callback, state }) => {
        await visit(`${callback}?error=access_denied&state=${state}`);
      }),
    );
    expect(error).to.include({ code: 'access_denied', stage: 'authorize' });
  });

  it('no answer — ends after the time', async () => {
    const error = await rejection(logIn(async () => {}, 100));
    expect(error).to.be.instanceOf(LoginError);
    expect(error.message).to.equal('no answer came within 0.1 seconds');
  });

  it('a port that is taken — is named', async () => {
    const server = http.createServer();
    const port = await portOf(server);
    const client = new OAuth2Client(acmeId(), { clientID: 'client-1' });
    const error = await rejection(
      logInOnce(client, `http://127.0.0.1:${port}/cb`, 1000, () => undefined),
    );
    expect(error.message).to.equal(`cannot listen at 127.0.0.1:${port} (EADDRINUSE)`);
    expect(await freePort()).to.be.a('number');
  });
});
