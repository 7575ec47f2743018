/** The faults, the sign-in page and the life of the emulator. */
import { createHmac, createPublicKey, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { connect, createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Emulator, type Fault, startEmulator } from 'crm-emulator';
import { buttons, CALLBACK, claimsOf, Client, get, headerOf, type Json, send } from './client.js';

/** A fault without its step; distributes over the union, which plain `Omit` does not. */
type FaultWithoutStep = Fault extends infer One
  ? One extends Fault
    ? Omit<One, 'step'>
    : never
  : never;

/** Starts at a port below those that systems give away; tries another one while it is taken. */
async function startInARow(): Promise<{ port: number; started: Emulator }> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 30_000);
    const started = await startEmulator({ port }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
    });
    if (started) return { port, started };
  }
  throw new Error('No three free ports in a row were found');
}

describe('crm-emulator: faults', () => {
  let emulator: Emulator;
  let salesloft: Client;
  let salesos: Client;
  let salesforce: Client;
  let token: unknown;
  let url: string;

  before(async () => {
    emulator = await startEmulator();
    salesloft = new Client(emulator, 'salesloft');
    salesos = new Client(emulator, 'salesos');
    salesforce = new Client(emulator, 'salesforce');
    ({ access_token: token } = await salesloft.login());
    url = salesloft.profileURL({});
  });

  beforeEach(() => {
    emulator.salesloft.clearFaults();
  });

  after(() => emulator.close());

  const queue = (fault: FaultWithoutStep) =>
    emulator.salesloft.fault({ step: 'profile', ...fault } as Fault);
  const profile = () => get(url, token);

  /** Requests the profile; returns the code of the error that ended it, and the body received before. */
  async function brokenRequest(): Promise<{ code: string; received: string }> {
    return new Promise((resolve) => {
      let received = '';
      const fail = (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? '', received });
      const request = httpGet(url, { agent: false }, (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (received += chunk));
        response.on('end', () => resolve({ code: 'none', received }));
        response.on('error', fail);
      });
      request.on('error', fail);
    });
  }

  describe('connection faults', () => {
    it('slow — sends the right answer late', async () => {
      queue({ kind: 'slow', delayMs: 120 });
      const started = Date.now();
      expect((await profile()).status).to.equal(200);
      expect(Date.now() - started).to.be.at.least(115);
    });

    it('silent — accepts the request, and does not answer', async () => {
      queue({ kind: 'silent' });
      const wait = AbortSignal.timeout(150);
      const error = await get(url, token, { signal: wait }).catch((reason: Error) => reason);
      expect(error).to.include({ name: 'AbortError' });
      expect(emulator.salesloft.requests.at(-1)).to.include({ path: '/v2/me.json', status: 0 });
    });

    it('silent — closes the connection when faults are cleared', async () => {
      queue({ kind: 'silent' });
      const ended = brokenRequest();
      setTimeout(() => emulator.salesloft.clearFaults(), 50);
      expect((await ended).code).to.equal('ECONNRESET');
    });

    it('drip — sends one byte at a time', async () => {
      queue({ kind: 'drip', intervalMs: 1 });
      const { status, json } = await profile();
      expect(status).to.equal(200);
      expect(json['data']).to.include({ name: 'Marta Quill' });
    });

    it('reset — breaks the connection before the headers', async () => {
      queue({ kind: 'reset' });
      expect(await brokenRequest()).to.deep.equal({ code: 'ECONNRESET', received: '' });
    });

    it('reset-after-headers — breaks the connection before the body', async () => {
      queue({ kind: 'reset-after-headers' });
      expect(await brokenRequest()).to.deep.equal({ code: 'ECONNRESET', received: '' });
    });

    it('cut — sends less than content-length promises', async () => {
      queue({ kind: 'cut' });
      const { code, received } = await brokenRequest();
      expect(code).to.equal('ECONNRESET');
      expect(received).to.match(/^\{/);
    });

    it('endless — sends until the client hangs up', async () => {
      queue({ kind: 'endless' });
      const received = await new Promise<number>((resolve) => {
        let bytes = 0;
        const request = httpGet(url, { agent: false }, (response) => {
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > 2_000_000) request.destroy();
          });
          response.on('error', () => resolve(bytes));
        });
      });
      expect(received).to.be.greaterThan(2_000_000);
    });

    it('huge — pads the right body', async () => {
      queue({ kind: 'huge', bytes: 3_000_000 });
      const { text, json } = await profile();
      expect(text.length).to.be.greaterThan(3_000_000);
      expect(json).to.have.all.keys('padding', 'data');
    });

    it('gzip — is small when sent, and large when inflated', async () => {
      queue({ kind: 'gzip', bytes: 4_000_000 });
      const raw = await new Promise<Buffer>((resolve, reject) => {
        const request = httpGet(url, { headers: { authorization: `Bearer ${String(token)}` } });
        request.on('error', reject);
        request.on('response', (response) => {
          const chunks: Buffer[] = [];
          expect(response.headers['content-encoding']).to.equal('gzip');
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks)));
        });
      });
      expect(raw.length).to.be.lessThan(50_000);
      expect(gunzipSync(raw).length).to.be.greaterThan(4_000_000);
    });
  });

  describe('answer faults', () => {
    it('html — is a page with status 200', async () => {
      queue({ kind: 'html' });
      const { status, headers } = await profile();
      expect([status, headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8']);
    });

    it('status — sets Retry-After and the body', async () => {
      queue({ kind: 'status', status: 429, retryAfter: 7, body: { error: 'slow down' } });
      const { status, headers, json } = await profile();
      expect([status, headers['retry-after']]).to.deep.equal([429, '7']);
      expect(json).to.deep.equal({ error: 'slow down' });
    });

    it('redirect — sets the location', async () => {
      queue({ kind: 'redirect', location: 'http://127.0.0.2:9/' });
      const { status, headers } = await profile();
      expect([status, headers['location']]).to.deep.equal([302, 'http://127.0.0.2:9/']);
    });

    it('wrong-content-type — keeps the right body', async () => {
      queue({ kind: 'wrong-content-type' });
      const { headers, json } = await profile();
      expect(headers['content-type']).to.match(/^text\/html/);
      expect(json).to.have.property('data');
    });

    it('empty, not-json — claim to be JSON, and are not', async () => {
      queue({ kind: 'empty' });
      queue({ kind: 'not-json' });
      for (const length of [0, 36]) {
        const { status, text, headers } = await profile();
        expect(status).to.equal(200);
        expect(text).to.have.lengthOf(length);
        expect(headers['content-type']).to.match(/^application\/json/);
      }
    });

    it('json — replaces the whole body', async () => {
      queue({ kind: 'json', body: [1] });
      expect((await profile()).text).to.equal('[1]');
    });

    it('patch — changes and removes fields of the right body', async () => {
      const tokens = await salesloft.login();
      const merge = {
        token_type: 'mac',
        expires_in: '7200',
        refresh_token: undefined,
        scope: null,
      };
      emulator.salesloft.fault({ step: 'token', kind: 'patch', merge });
      const { json } = await salesloft.refresh(tokens);
      expect(json).to.include({ token_type: 'mac', expires_in: '7200' });
      expect(json).to.have.all.keys('access_token', 'token_type', 'expires_in', 'created_at');
    });

    it('patch — changes the parameters of a callback', async () => {
      const merge = { iss: 'https://evil.example', scope: null };
      emulator.salesloft.fault({ step: 'authorize', kind: 'patch', merge });
      const params = await salesloft.signIn();
      expect(params).to.include({ iss: 'https://evil.example' });
      expect(params).not.to.have.property('scope');
    });
  });

  describe('token response faults', () => {
    async function wrongIdToken(fault: Extract<Fault, { kind: 'id-token' }>): Promise<string> {
      const { code } = await salesos.signIn();
      emulator.salesos.fault(fault);
      return String((await salesos.exchange(code)).json['id_token']);
    }

    const fault = { step: 'token', kind: 'id-token' } as const;

    it('wrong-signature — signs with another secret', async () => {
      const { code } = await salesforce.signIn();
      emulator.salesforce.fault({ step: 'token', kind: 'wrong-signature' });
      const { json } = await salesforce.exchange(code);
      const right = createHmac('sha256', salesforce.provider.clientSecret)
        .update(String(json['id']) + String(json['issued_at']))
        .digest('base64');
      expect(json['signature']).to.have.lengthOf(44).and.not.equal(right);
    });

    it('id-token — has alg none and no signature', async () => {
      const jwt = await wrongIdToken({ ...fault, alg: 'none' });
      expect(headerOf(jwt)).to.include({ alg: 'none' });
      expect(jwt).to.match(/\.$/);
    });

    it('id-token — is signed by HS256 with the public key as the secret', async () => {
      const jwt = await wrongIdToken({ ...fault, alg: 'HS256' });
      const { json } = await get(`${salesos.provider.origin}/.well-known/jwks.json`);
      const [key] = json['keys'] as [Json];
      const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      const [header, payload, signature] = jwt.split('.');
      const expected = createHmac('sha256', pem).update(`${header}.${payload}`).digest('base64url');
      expect(signature).to.equal(expected);
    });

    it('id-token — has an unknown kid, no kid, an embedded key or a bad signature', async () => {
      const { json } = await get(`${salesos.provider.origin}/.well-known/jwks.json`);
      const kids = (json['keys'] as { kid: string }[]).map(({ kid }) => kid);
      expect(kids).not.to.include(
        headerOf(await wrongIdToken({ ...fault, alg: 'unknown-kid' }))['kid'],
      );
      expect(headerOf(await wrongIdToken({ ...fault, alg: 'no-kid' }))).not.to.have.property('kid');
      expect(headerOf(await wrongIdToken({ ...fault, alg: 'embedded-jwk' }))['jwk']).to.be.an(
        'object',
      );
      expect(headerOf(await wrongIdToken({ ...fault, alg: 'bad-signature' }))['kid']).to.be.oneOf(
        kids,
      );
    });

    it('id-token — replaces and removes claims', async () => {
      const claims = { aud: 'another-client', nonce: undefined, exp: 1 };
      const changed = claimsOf(await wrongIdToken({ ...fault, claims }));
      expect(changed).to.include({ aud: 'another-client', exp: 1 });
      expect(changed).not.to.have.property('nonce');
    });
  });

  describe('the queue of faults', () => {
    it('faults — apply to their own step, in order, as many times as they say', async () => {
      emulator.salesloft.fault({ step: 'token', kind: 'status', status: 500 });
      queue({ kind: 'status', status: 503, times: 2 });
      queue({ kind: 'status', status: 429 });
      const statuses: number[] = [];
      for (let i = 0; i < 4; i += 1) statuses.push((await profile()).status);
      expect(statuses).to.deep.equal([503, 503, 429, 200]);
      expect((await salesloft.refresh({})).status).to.equal(500);
    });

    it('faults — are forgotten when cleared', async () => {
      queue({ kind: 'status', status: 500 });
      emulator.salesloft.clearFaults();
      expect((await profile()).status).to.equal(200);
    });

    it('faults — leave a code unused when they replace the token response', async () => {
      const { code } = await salesloft.signIn();
      emulator.salesloft.fault({ step: 'token', kind: 'status', status: 503 });
      expect((await salesloft.exchange(code)).status).to.equal(503);
      expect((await salesloft.exchange(code)).status).to.equal(200);
    });

    it('rehearsals — let a failure chosen on the page happen once', async () => {
      const { code } = await salesloft.signIn('Suri', {}, 'Profile answers 500');
      const { json } = await salesloft.exchange(code);
      expect((await salesloft.profile(json)).status).to.equal(500);
      expect((await salesloft.profile(json)).status).to.equal(200);
    });

    it('rehearsals — forget a failure that has not happened at the next sign-in', async () => {
      const { code: abandoned } = await salesloft.signIn('Suri', {}, 'Profile answers 500');
      const { code } = await salesloft.signIn('Marta Quill');
      const { json } = await salesloft.exchange(code);
      expect((await salesloft.profile(json)).status).to.equal(200);
      await salesloft.exchange(abandoned);
    });

    it('rehearsals — queue nothing after a sign-in that was refused', async () => {
      await salesloft.signIn('Deny', {}, 'Profile answers 500');
      expect((await salesloft.profile({ access_token: token })).status).to.equal(200);
    });

    it('rehearsals — keep a fault that a test has queued', async () => {
      emulator.salesloft.fault({ step: 'profile', kind: 'status', status: 503 });
      expect((await salesloft.profile(await salesloft.login())).status).to.equal(503);
    });

    it('requests — are recorded without query, credentials or cookies', async () => {
      const { length } = emulator.salesloft.requests;
      await fetch(`${url}?secret=1`, {
        headers: { authorization: `Bearer ${String(token)}`, cookie: 'a=secret', 'X-Trace': 'yes' },
      });
      const [record, ...more] = emulator.salesloft.requests.slice(length);
      expect(more).to.deep.equal([]);
      expect(record).to.include({ method: 'GET', path: '/v2/me.json', status: 200 });
      expect(record?.headers).to.include({ authorization: 'Bearer', 'x-trace': 'yes' });
      expect(JSON.stringify(record)).not.to.include('secret').and.not.to.include(String(token));
      expect(record?.at).to.be.closeTo(Date.now(), 5_000);
    });
  });

  describe('sign-in page', () => {
    it('has a button for each person, one to deny, and a notice that it is an emulator', async () => {
      const { html, headers } = await salesloft.page({ login_hint: 'ZOE.angstrom@example.com' });
      expect(buttons(html).map(({ label }) => label)).to.deep.equal([
        'Continue as Zoë Ångström',
        'Continue as Marta Quill',
        'Continue as Tobias Fenn',
        'Continue as Suri',
        'Continue as Dario Plum',
        'Deny',
      ]);
      expect(html).to.include('Local emulator of Salesloft. For development only.');
      expect(html).to.include(salesloft.provider.clientID).and.to.include('people:read');
      expect(headers['content-security-policy'])
        .to.include("frame-ancestors 'none'")
        .and.not.to.include('form-action');
      expect(headers['set-cookie']).to.equal(undefined);
    });

    it('escapes names, and keeps simultaneous sign-ins apart', async () => {
      const other = await startEmulator({ people: [{ name: '<b>"Bo"</b>' }, { name: 'Ida' }] });
      try {
        const client = new Client(other, 'salesos');
        const { html } = await client.page();
        expect(html).not.to.include('<b>');
        const [bo, ida] = await Promise.all([client.login('<b>"Bo"</b>'), client.login('Ida')]);
        expect(claimsOf(bo['id_token'])).to.include({ name: '<b>"Bo"</b>' });
        expect(claimsOf(ida['id_token'])).to.include({ name: 'Ida' });
      } finally {
        await other.close();
      }
    });

    it('cannot be answered twice', async () => {
      const { url: page } = await salesloft.page();
      const { headers } = await send(page, { form: { deny: '1' } });
      const next = new URL(headers['location'] as string, page).href;
      await send(next);
      for (const over of [page, next]) {
        const { status, text } = await send(over);
        expect(status).to.equal(410);
        expect(text)
          .to.include('This sign-in is over')
          .and.include('href="http://localhost:3000/"');
      }
      const unknown = await send(`${new URL(page).origin}/emulator/sign-in/unknown`);
      expect(unknown.status).to.equal(410);
      expect(unknown.text)
        .to.include('Start page of the emulator')
        .and.not.include('localhost:3000');
    });
  });

  describe('start and close', () => {
    it('close — ends idle and stalled connections at once', async () => {
      const other = await startEmulator();
      other.salesloft.fault({ step: 'profile', kind: 'silent' });
      other.salesos.fault({ step: 'jwks', kind: 'slow', delayMs: 60_000 });
      const stalled = [
        get(other.salesloft.options.profileURL),
        get(`${other.salesos.origin}/.well-known/jwks.json`),
      ].map((answer) => answer.then(() => 'answered').catch(() => 'ended'));
      const idle = connect(Number(new URL(other.salesforce.origin).port), '127.0.0.1');
      const idleEnded = new Promise((resolve) => idle.once('close', resolve));
      idle.on('error', () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const started = Date.now();
      await other.close();
      expect(Date.now() - started).to.be.lessThan(500);
      expect(await Promise.all(stalled)).to.deep.equal(['ended', 'ended']);
      await idleEnded;
      expect(await get(other.salesos.origin).catch(() => 'closed')).to.equal('closed');
    });

    it('start — listens on three ports in a row, and closes them all when one is taken', async function () {
      this.timeout(60_000);
      const { port, started } = await startInARow();
      const origins = [started.salesloft, started.salesos, started.salesforce].map((p) => p.origin);
      await started.close();
      expect(origins).to.deep.equal(
        [port, port + 1, port + 2].map((number) => `http://127.0.0.1:${number}`),
      );
      const holder = createServer().listen(port + 2, '127.0.0.1');
      await once(holder, 'listening');
      try {
        const error = await startEmulator({ port }).catch((reason: Error) => reason);
        expect(error).to.have.property('code', 'EADDRINUSE');
      } finally {
        holder.close();
        await once(holder, 'close');
      }
      const again = await startEmulator({ port });
      await again.close();
    });

    it('callbackURLs — are compared character by character', async () => {
      const other = await startEmulator({ callbackURLs: ['https://app.example/cb'] });
      try {
        const client = new Client(other, 'salesloft');
        const at = async (redirect_uri: string) =>
          (await send(client.authorizationURL({ redirect_uri }))).status;
        expect(await at('https://app.example/cb')).to.equal(303);
        expect(await at('https://app.example/cb/')).to.equal(400);
        expect(await at(CALLBACK)).to.equal(303);
      } finally {
        await other.close();
      }
    });
  });
});
