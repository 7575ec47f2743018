/** The discovery document and the keys of a set-up. */
import { expect } from 'chai';
import { checkDiscovery, checkKeys } from '../../dist/check/issuer';
import { useRealSockets } from '../support';
import { acmeId, askingOf, setUpOf, startAcme } from './support';
import type { Answers, Reply } from './support';

const DOCUMENT = '/.well-known/openid-configuration';

async function discovery(answers: Answers = {}, provider = acmeId()) {
  const { issuer } = await startAcme(answers);
  const setUp = setUpOf(issuer, {}, provider);
  const { endpoints } = setUp.settings!.context;
  return { issuer, findings: await checkDiscovery(provider, endpoints, askingOf(setUp)) };
}

async function keysOf(reply: Reply, provider = acmeId()) {
  const { issuer, asked } = await startAcme({ '/keys': () => reply });
  const setUp = setUpOf(issuer, {}, provider);
  const asking = askingOf(setUp);
  const findings = await checkKeys(provider, setUp.settings!.context.endpoints, asking);
  asking.close();
  return { issuer, findings, asked };
}

describe('issuer of a set-up', () => {
  useRealSockets();

  it('OpenID Connect Discovery §4.3 — the document names the issuer', async () => {
    const { issuer, findings } = await discovery();
    expect(findings).to.deep.equal([
      {
        part: 'discovery',
        verdict: 'right',
        says: `Acme publishes a discovery document, which names the issuer ${issuer}.`,
      },
    ]);
  });

  it('OpenID Connect Discovery §4.3 — an issuer that differs is wrong', async () => {
    const other = 'https://other.acme.test';
    const { issuer, findings } = await discovery({
      [DOCUMENT]: () => ({ body: { issuer: other } }),
    });
    expect(findings).to.have.lengthOf(1);
    expect(findings[0]).to.include({
      verdict: 'wrong',
      code: 'issuer_mismatch',
      says: `The issuer differs from ${issuer}: the document is of another issuer: ${other}.`,
    });
    expect(findings[0]?.mend).to.match(/^Set the option that names the host/);
  });

  it('OpenID Connect Discovery §3 — an endpoint that differs is a note', async () => {
    const moved = 'https://other.acme.test/token';
    const { issuer, findings } = await discovery({
      [DOCUMENT]: ({ issuer: own }) => ({
        body: {
          issuer: own,
          authorization_endpoint: `${own}/authorize`,
          token_endpoint: moved,
          revocation_endpoint: `${own}/revoke`,
        },
      }),
    });
    expect(findings.map(({ verdict }) => verdict)).to.deep.equal(['right', 'note']);
    expect(findings[1]?.says).to.equal(
      `Acme publishes another token endpoint (https://other.acme.test/token) than this set-up has (${issuer}/token).`,
    );
  });

  it('OpenID Connect Discovery §4 — a provider without a document is not judged by it', async () => {
    const { issuer, findings } = await discovery({ [DOCUMENT]: () => ({ status: 404 }) });
    expect(findings).to.deep.equal([
      {
        part: 'discovery',
        verdict: 'unknown',
        says: `${issuer} publishes no discovery document.`,
        host: new URL(issuer).host,
      },
    ]);
  });

  it('OpenID Connect Discovery §4 — a document that cannot be read is wrong', async () => {
    const { issuer, findings } = await discovery({ [DOCUMENT]: () => ({ body: '<p>no' }) });
    expect(findings[0]).to.include({ verdict: 'wrong', code: 'unexpected_content_type' });
    expect(findings[0]?.says).to.contain(`The discovery document of ${issuer} is not usable: `);
  });

  it('OpenID Connect Discovery §4.1 — an issuer with a query has no document', async () => {
    const { issuer, asked } = await startAcme();
    const setUp = setUpOf(issuer);
    const endpoints = { ...setUp.settings!.context.endpoints, issuer: `${issuer}/?tenant=1` };
    expect(await checkDiscovery(acmeId(), endpoints, askingOf(setUp))).to.deep.equal([]);
    expect(asked).to.deep.equal([]);
  });

  it('a provider without ID Tokens — has neither document nor keys to check', async () => {
    const provider = acmeId({ idToken: 'none' });
    expect((await discovery({}, provider)).findings).to.deep.equal([]);
    expect((await keysOf({}, provider)).findings).to.deep.equal([]);
  });

  it('RFC 7517 §5 — counts the keys that may verify a signature', async () => {
    const body = {
      keys: [
        { kty: 'RSA', kid: '1' },
        { kty: 'RSA', kid: '2', use: 'sig', alg: 'RS256' },
        { kty: 'RSA', kid: '3', use: 'enc' },
        { kty: 'RSA', kid: '4', alg: 'PS256' },
        { kty: 'EC', kid: '5' },
        null,
      ],
    };
    const { issuer, findings } = await keysOf({ body });
    const { host } = new URL(issuer);
    const says = `${host} publishes 2 keys for ID Tokens.`;
    expect(findings).to.deep.equal([{ part: 'keys', verdict: 'right', says, host }]);
  });

  for (const [algorithm, kty] of [
    ['ES256', 'EC'],
    ['PS384', 'RSA'],
    ['EdDSA', 'OKP'],
  ] as const) {
    it(`RFC 7518 §6.1 — a key of type ${kty} is one for ${algorithm}`, async () => {
      const provider = acmeId({ idTokenAlgorithms: [algorithm] });
      const { findings } = await keysOf({ body: { keys: [{ kty }] } }, provider);
      expect(findings[0]?.says).to.match(/ publishes one key for ID Tokens\.$/);
    });
  }

  for (const [name, reply, code, words] of [
    ['no keys', { body: { keys: [] } }, 'keys_unavailable', 'no key among them is one for RS256'],
    ['other keys', { body: { keys: [{ kty: 'EC' }] } }, 'keys_unavailable', 'no key among them'],
    ['no list', { body: { keys: 'RSA' } }, 'keys_unavailable', 'no key among them'],
    ['a list alone', { body: [] }, 'keys_unavailable', 'no key among them'],
    ['not found', { status: 404 }, 'unexpected_status', 'answered with status 404'],
    ['down', { status: 503 }, 'provider_unavailable', 'the provider failed (503)'],
    ['a page', { body: '<html></html>' }, 'invalid_json', 'the answer is not valid JSON'],
  ] as const) {
    it(`RFC 7517 §5 — ${name} is wrong`, async () => {
      const { issuer, findings } = await keysOf(reply);
      expect(findings).to.have.lengthOf(1);
      expect(findings[0]).to.include({ part: 'keys', verdict: 'wrong', code });
      expect(findings[0]?.says).to.contain(
        `The keys for ID Tokens cannot be read from ${issuer}/keys: ${words}`,
      );
    });
  }

  it('a label — does not matter, as some servers give another', async () => {
    const { findings } = await keysOf({ body: JSON.stringify({ keys: [{ kty: 'RSA' }] }) });
    expect(findings[0]?.verdict).to.equal('right');
  });
});
