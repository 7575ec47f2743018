/** The authorization request: what the answers to a right, a wrong and a made-up one tell. */
import { expect } from 'chai';
import { MADE_UP_CALLBACK, MADE_UP_ID } from '../../dist/check/asking';
import { checkAuthorization, clarify } from '../../dist/check/authorization';
import type { Environment } from '../../dist/check/variables';
import { freePort, useRealSockets } from '../support';
import { CALLBACK, acmeId, askingOf, setUpOf, startAcme } from './support';
import type { Asked, Reply } from './support';

/** How the provider answers. */
type Judge = (asked: Asked) => Reply;

const SIGN_IN = { status: 302, headers: { location: '/sign-in' } };
const GENERIC: Judge = ({ query }) =>
  query.client_id === 'client-1' && query.redirect_uri === CALLBACK
    ? SIGN_IN
    : { status: 400, body: `No. ${query.client_id}` };

async function check(changes: Environment = {}, judge?: Judge, provider = acmeId()) {
  const { issuer, asked } = await startAcme(judge ? { '/authorize': judge } : {});
  const setUp = setUpOf(issuer, changes, provider);
  const asking = askingOf(setUp);
  const result = await checkAuthorization(setUp, asking);
  asking.close();
  return { ...result, asked, setUp };
}

describe('authorization request of a set-up', () => {
  useRealSockets();

  it('RFC 6749 §4.1.1 — a right one is told by a made-up callback that is refused', async () => {
    const { findings, knowsClient, asked } = await check();
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'right',
        says: 'Acme knows the client id, and the callback URL is registered.',
      },
    ]);
    expect(knowsClient).to.equal(true);
    const sent = asked.map(({ query }) => [query.client_id, query.redirect_uri]);
    expect(sent).to.deep.equal([
      ['client-1', CALLBACK],
      [MADE_UP_ID, CALLBACK],
      ['client-1', MADE_UP_CALLBACK],
    ]);
    for (const { query } of asked) {
      expect(query).to.include({ response_type: 'code', scope: 'openid' });
      expect(query).to.not.have.property('client_secret');
    }
  });

  it('RFC 6749 §4.1.2.1 — an unknown client is refused as a made-up one', async () => {
    const { findings, knowsClient } = await check({ ACME_CLIENT_ID: 'client-2' }, ({ query }) =>
      query.redirect_uri === CALLBACK
        ? { status: 400, body: 'no app' }
        : { status: 400, body: 'no' },
    );
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'wrong',
        says: 'Acme does not know the client id.',
        mend: 'Copy both from Acme > Apps.',
        code: 'invalid_client',
      },
    ]);
    expect(knowsClient).to.equal(false);
  });

  for (const words of ['error: invalid_client', 'invalid_client_id', 'Unknown client: x']) {
    it(`RFC 6749 §4.1.2.1 — so it is where the page says "${words}"`, async () => {
      const judge = () => ({ status: 400, body: `<p>${words}</p>` });
      const { findings, knowsClient, isUnclear } = await check({}, judge);
      expect(findings[0]?.says).to.equal('Acme does not know the client id.');
      expect(knowsClient).to.equal(false);
      expect(isUnclear).to.equal(undefined);
    });
  }

  it('RFC 6749 §4.1.2.1 — the remedy for the id goes before that for both', async () => {
    const hints = {
      invalid_client_id: 'Acme has no such id. Compare it.',
      invalid_client: 'Both.',
    };
    const provider = acmeId({ hints });
    const { findings } = await check({}, () => ({ status: 400, body: 'invalid_client' }), provider);
    expect(findings[0]?.mend).to.equal('Compare it.');
  });

  it('RFC 6749 §3.1.2.4 — a callback that is not registered is refused as a made-up one', async () => {
    const callback = 'https://app.test/other';
    const { findings, knowsClient } = await check({ ACME_CALLBACK_URL: callback });
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'wrong',
        says: `The callback URL ${callback} is not registered.`,
        mend: 'Register it in the app at the provider, character by character.',
        code: 'redirect_uri_mismatch',
      },
    ]);
    expect(knowsClient).to.equal(true);
    const hints = { redirect_uri_mismatch: 'Register it at Acme > Apps.' };
    const own = await check({ ACME_CALLBACK_URL: callback }, undefined, acmeId({ hints }));
    expect(own.findings[0]?.mend).to.equal('Register it at Acme > Apps.');
  });

  it('one page for every refusal — leaves the decision to the token endpoint', async () => {
    const { findings, knowsClient, isUnclear, setUp } = await check(
      { ACME_CLIENT_ID: 'client-2' },
      GENERIC,
    );
    expect(findings).to.deep.equal([]);
    expect(knowsClient).to.equal(undefined);
    expect(isUnclear).to.equal(true);
    expect(clarify(setUp, true).says).to.equal(`The callback URL ${CALLBACK} is not registered.`);
    expect(clarify(setUp, false)).to.include({
      verdict: 'wrong',
      says: 'Acme does not know the client id, or the callback URL is not registered. It does not say which.',
    });
  });

  it('a sign-in before any judgement — leaves it open', async () => {
    const { findings, knowsClient } = await check({}, () => SIGN_IN);
    expect(findings[0]).to.include({
      verdict: 'unknown',
      says: 'Acme lets people sign in before it judges the callback URL, so its answer does not tell whether it is registered.',
      mend: 'A login tells: add --login.',
    });
    expect(knowsClient).to.equal(undefined);
  });

  it('a sign-in before the callback is judged — tells about the client', async () => {
    const { findings, knowsClient } = await check({}, ({ query }) =>
      query.client_id === 'client-1' ? SIGN_IN : { status: 400 },
    );
    expect(findings[0]?.verdict).to.equal('unknown');
    expect(knowsClient).to.equal(true);
  });

  it('RFC 6749 §4.1.2.1 — an error that comes back is read in the words of the provider', async () => {
    const location = `${CALLBACK}?error=invalid_scope&error_description=no+such+scope`;
    const { findings } = await check({}, ({ query }) =>
      query.client_id === 'client-1' && query.redirect_uri === CALLBACK
        ? { status: 302, headers: { location } }
        : { status: 400 },
    );
    expect(findings[0]).to.include({
      verdict: 'wrong',
      says: 'Acme refuses the authorization request: invalid_scope: no such scope.',
      code: 'invalid_scope',
    });
    expect(findings[0]?.mend).to.be.a('string');
  });

  it('RFC 6749 §4.1.2.1 — a page of its own kind is wrong, with its status', async () => {
    const { findings } = await check({}, ({ query }) =>
      query.redirect_uri === CALLBACK && query.client_id === 'client-1'
        ? { status: 403, body: 'maintenance' }
        : { status: 400, body: `no ${query.client_id === 'client-1'}` },
    );
    expect(findings[0]).to.include({
      verdict: 'wrong',
      says: 'Acme refuses the authorization request (status 403), and does not say why.',
    });
  });

  it('a provider that is down — is wrong, and is asked once', async () => {
    const { findings, asked } = await check({}, () => ({ status: 503 }));
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'wrong',
        says: 'The authorization endpoint of Acme answers 503.',
        mend: 'Try again later.',
        code: 'provider_unavailable',
      },
    ]);
    expect(asked).to.have.lengthOf(1);
  });

  it('no page — is wrong, and is asked for once', async () => {
    const { findings, asked, setUp } = await check({}, () => ({ status: 404 }));
    const { authorizationEndpoint } = setUp.settings!.context.endpoints;
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'wrong',
        says: `There is no login at ${authorizationEndpoint}: it answers 404.`,
        mend: 'Check the options that name the host, or this address.',
      },
    ]);
    expect(asked).to.have.lengthOf(1);
  });

  it('a page that is not read — leaves it open', async () => {
    const { findings } = await check({}, () => ({
      headers: { 'content-encoding': 'br' },
      body: 'x',
    }));
    expect(findings).to.deep.equal([
      {
        part: 'authorization',
        verdict: 'unknown',
        says: 'The page of the login cannot be read here: the answer is compressed.',
      },
    ]);
  });

  it('no connection — is wrong', async () => {
    const setUp = setUpOf(`http://127.0.0.1:${await freePort()}`);
    const { findings } = await checkAuthorization(setUp, askingOf(setUp));
    expect(findings[0]).to.include({ verdict: 'wrong', code: 'connection_refused' });
    expect(findings[0]?.says).to.equal(
      'The authorization endpoint cannot be asked: the connection was refused.',
    );
  });

  for (const callback of ['', '/auth/acme/callback']) {
    it(`the callback "${callback}" — is not judged, and the client is`, async () => {
      const { findings, knowsClient, asked } = await check({ ACME_CALLBACK_URL: callback });
      expect(findings).to.deep.equal([]);
      expect(knowsClient).to.equal(true);
      expect(asked.map(({ query }) => query.redirect_uri)).to.deep.equal([
        MADE_UP_CALLBACK,
        MADE_UP_CALLBACK,
      ]);
    });
  }

  it('no callback, and one page for every refusal — tells nothing', async () => {
    const { knowsClient } = await check({ ACME_CALLBACK_URL: '' }, GENERIC);
    expect(knowsClient).to.equal(undefined);
  });
});
