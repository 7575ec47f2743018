/** The requests that the emulator refuses for their address or their scope. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { Client, send } from './client.js';

describe('crm-emulator: strictness', () => {
  let emulator: Emulator;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({ origins: { org: true, issuer: true, sandbox: true } });
  });

  after(() => emulator.close());

  describe('the Host header', () => {
    const originsOf = () => [
      emulator.salesloft.origin,
      emulator.salesos.origin,
      ...Object.values(emulator.salesforce.origins as object),
    ];
    const at = async (origin: string, host: string, path = '/.well-known/openid-configuration') =>
      send(origin + path, { headers: { host } });

    it('must be of this machine, with the port, at every origin', async () => {
      expect(originsOf()).to.have.lengthOf(6);
      for (const origin of originsOf()) {
        const { port } = new URL(origin);
        for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `127.0.0.9:${port}`]) {
          expect((await at(origin, host)).status, host).to.equal(200);
        }
        expect((await at(origin, `[::1]:${port}`)).status).to.equal(200);
        for (const host of [
          `evil.example:${port}`,
          `127.0.0.1.evil.example:${port}`,
          `localhost.:${port}`,
          `localhost@evil.example:${port}`,
          `user@localhost:${port}`,
          `localhost:${port}/path`,
          `10.0.0.1:${port}`,
          'localhost',
          'localhost:1',
        ]) {
          const { status, text, headers } = await at(origin, host);
          expect(status, host).to.equal(421);
          expect(text).to.match(/^Misdirected Request/);
          expect(headers['content-type']).to.match(/^text\/plain/);
        }
      }
    });

    it('is judged before the pages of the emulator, which record nothing then', async () => {
      const client = new Client(emulator, 'salesloft');
      const { pathname } = new URL((await client.page()).url);
      const { port } = new URL(emulator.salesloft.origin);
      const { length } = emulator.salesloft.requests;
      for (const path of ['/', pathname, '/oauth/token', '/v2/me.json']) {
        expect((await at(emulator.salesloft.origin, `evil.example:${port}`, path)).status).to.equal(
          421,
        );
      }
      expect(emulator.salesloft.requests).to.have.lengthOf(length);
    });
  });

  describe('the scope of a refresh', () => {
    it('RFC 6749 §6 — Salesloft refuses one that is wider than the grant, or unknown', async () => {
      const client = new Client(emulator, 'salesloft');
      const tokens = await client.login('Suri', { scope: 'people:read cadences:read' });
      for (const scope of ['people:read cadences:write', 'everything']) {
        const { status, json } = await client.refresh(tokens, { scope });
        expect(status).to.equal(400);
        expect(json).to.include({ error: 'invalid_scope' });
        expect(json['error_description']).to.match(/^The requested scope is invalid/);
      }
      const narrowed = await client.refresh(tokens, { scope: 'people:read' });
      expect(narrowed.status).to.equal(200);
      expect(narrowed.json).to.include({ scope: 'people:read' });
      // RFC 6749 §6: the new refresh token has the scope of the old one.
      const widened = await client.refresh(narrowed.json, { scope: 'people:read cadences:read' });
      expect(widened.json).to.include({ scope: 'people:read cadences:read' });
    });
  });
});
