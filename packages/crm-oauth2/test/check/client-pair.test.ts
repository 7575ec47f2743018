/** Client id and client secret, told by the errors of the token endpoint for a made-up code. */
import { expect } from 'chai';
import {
  MADE_UP_CALLBACK,
  MADE_UP_CODE,
  MADE_UP_ID,
  MADE_UP_SECRET,
} from '../../dist/check/asking';
import { checkClientPair } from '../../dist/check/client-pair';
import type { Environment } from '../../dist/check/variables';
import { SECRET, freePort, useRealSockets } from '../support';
import { CALLBACK, acmeId, askingOf, setUpOf, startAcme } from './support';
import type { Asked, Reply } from './support';

interface Case {
  changes?: Environment;
  judge?: (asked: Asked) => Reply;
  knowsClient?: boolean;
  provider?: ReturnType<typeof acmeId>;
}

async function check({ changes, judge, knowsClient, provider }: Case = {}) {
  const { issuer, asked } = await startAcme(judge ? { '/token': judge } : {});
  const setUp = setUpOf(issuer, changes, provider);
  const asking = askingOf(setUp);
  const finding = await checkClientPair(setUp, asking, knowsClient);
  asking.close();
  expect(JSON.stringify(finding)).to.not.contain(SECRET);
  return { finding, asked };
}

const says = (status: number, error: string, error_description?: string): Reply => ({
  status,
  body: { error, error_description },
});

describe('client of a set-up', () => {
  useRealSockets();

  it('RFC 6749 §5.2 — invalid_grant accepts the client, where a made-up secret is refused', async () => {
    const { finding, asked } = await check();
    expect(finding).to.deep.equal({
      part: 'client',
      verdict: 'right',
      says: 'Acme accepts the client id and the client secret.',
    });
    expect(
      asked.map(({ method, fields }) => [method, fields.client_id, fields.client_secret]),
    ).to.deep.equal([
      ['POST', 'client-1', SECRET],
      ['POST', 'client-1', MADE_UP_SECRET],
    ]);
    expect(asked[0]?.fields).to.include({
      grant_type: 'authorization_code',
      code: MADE_UP_CODE,
      redirect_uri: CALLBACK,
    });
    expect(asked[0]?.fields.code_verifier).to.match(/^[\w-]{43}$/);
  });

  it('RFC 6749 §4.1.3 — sends the parameters that the description adds', async () => {
    const requestParameters = (request: string) => ({ resource: request });
    const { asked } = await check({ provider: acmeId({ requestParameters }) });
    expect(asked[0]?.fields).to.include({ resource: 'authorization_code' });
  });

  it('RFC 6749 §4.1.3 — sends a made-up callback where none is known', async () => {
    const { asked } = await check({ changes: { ACME_CALLBACK_URL: '' } });
    expect(asked[0]?.fields.redirect_uri).to.equal(MADE_UP_CALLBACK);
  });

  it('a code that is judged first — tells nothing about the secret', async () => {
    const { finding } = await check({ judge: () => says(400, 'invalid_grant', 'bad code') });
    expect(finding).to.deep.equal({
      part: 'client',
      verdict: 'unknown',
      says: 'Acme answers the same to a made-up client secret, so its answer does not tell whether this one is right.',
      mend: 'A login tells: add --login.',
    });
  });

  it('a public client — is compared with a made-up id', async () => {
    const changes = { ACME_CLIENT_SECRET: '' };
    const judge = ({ fields }: Asked) =>
      says(400, fields.client_id === 'client-1' ? 'invalid_grant' : 'invalid_client');
    const { finding, asked } = await check({ changes, judge });
    expect(finding.says).to.equal('Acme accepts the client id.');
    expect(asked.map(({ fields }) => [fields.client_id, fields.client_secret])).to.deep.equal([
      ['client-1', undefined],
      [MADE_UP_ID, undefined],
    ]);
    const same = await check({ changes, judge: () => says(400, 'invalid_grant') });
    expect(same.finding.says).to.contain('answers the same to a made-up client id,');
  });

  it('a public client that is refused — may need its secret', async () => {
    const changes = { ACME_CLIENT_SECRET: '' };
    const { finding } = await check({ changes, judge: () => says(401, 'invalid_client') });
    expect(finding).to.include({
      verdict: 'wrong',
      says: 'Acme refuses the client id without a secret.',
      code: 'invalid_client',
    });
    expect(finding.mend).to.contain('--public');
  });

  it('RFC 6749 §5.2 — invalid_client_id is a wrong id, with its remedy', async () => {
    const hints = { invalid_client_id: 'Acme has no such id. Compare it.', invalid_client: 'x' };
    const judge = () => says(400, 'invalid_client_id');
    const { finding, asked } = await check({ judge, provider: acmeId({ hints }) });
    expect(finding).to.deep.equal({
      part: 'client',
      verdict: 'wrong',
      says: 'Acme does not know the client id.',
      mend: 'Compare it.',
      code: 'invalid_client_id',
    });
    expect(asked).to.have.lengthOf(1);
    const other = await check({ judge });
    expect(other.finding.mend).to.equal('Copy both from Acme > Apps.');
  });

  it('RFC 6749 §5.2 — invalid_client is a wrong id, where the page of the login has said so', async () => {
    const { finding, asked } = await check({
      changes: { ACME_CLIENT_ID: 'client-2' },
      knowsClient: false,
    });
    expect(finding).to.include({ verdict: 'wrong', says: 'Acme does not know the client id.' });
    expect(asked).to.have.lengthOf(1);
  });

  it('RFC 6749 §5.2 — invalid_client is a wrong secret, where that page knows the id', async () => {
    const { finding, asked } = await check({
      changes: { ACME_CLIENT_SECRET: 'another-secret' },
      knowsClient: true,
    });
    expect(finding).to.deep.equal({
      part: 'client',
      verdict: 'wrong',
      says: 'Acme knows the client id, and the client secret is wrong.',
      mend: 'Copy both from Acme > Apps.',
      code: 'invalid_client',
    });
    expect(asked).to.have.lengthOf(1);
  });

  it('RFC 6749 §5.2 — other words for a made-up id tell that this one is known', async () => {
    const judge = ({ fields }: Asked) =>
      says(401, 'invalid_client', fields.client_id === 'client-1' ? 'wrong secret' : 'no client');
    const { finding, asked } = await check({ judge });
    expect(finding.says).to.equal('Acme knows the client id, and the client secret is wrong.');
    expect(asked[1]?.fields).to.include({ client_id: MADE_UP_ID, client_secret: MADE_UP_SECRET });
  });

  it('RFC 6749 §5.2 — the same words for a made-up id leave both open', async () => {
    // An echo of the id, and the number of the request, do not make the words others.
    let count = 0;
    const judge = ({ fields }: Asked) =>
      says(401, 'invalid_client', `client ${fields.client_id} failed, request-${(count += 1)}`);
    const { finding } = await check({ judge });
    expect(finding).to.include({
      verdict: 'wrong',
      says: 'The client id or the client secret is wrong. Acme does not say which.',
      mend: 'Copy both from Acme > Apps.',
    });
  });

  it('remedy — compares with the app where the provider has none', async () => {
    const judge = () => says(401, 'invalid_client');
    const { finding } = await check({ judge, provider: acmeId({ hints: {} }) });
    expect(finding.mend).to.equal('Compare both with the app at Acme.');
  });

  it('meanings — words of the provider count as the code that they mean', async () => {
    const meanings = [
      { error: 'access_denied', says: /^unauthorized$/i, code: 'invalid_client' },
    ] as const;
    const judge = () => says(401, 'access_denied', 'Unauthorized');
    const { finding } = await check({ judge, provider: acmeId({ meanings }) });
    expect(finding.code).to.equal('invalid_client');
  });

  for (const [name, reply, code, words] of [
    [
      'a grant that is off',
      says(400, 'unauthorized_client'),
      'unauthorized_client',
      'unauthorized_client',
    ],
    [
      'a provider that is down',
      { status: 503 },
      'provider_unavailable',
      'the provider failed (503)',
    ],
    ['too many requests', { status: 429 }, 'rate_limited', 'asked too often (429)'],
    [
      'another page',
      { status: 404, body: '<title>Not here</title>' },
      'unexpected_status',
      'answered with status 404',
    ],
    [
      'a page of status 200',
      { body: '<title>Welcome</title>' },
      'unexpected_content_type',
      'expected JSON',
    ],
  ] as const) {
    it(`RFC 6749 §5.2 — ${name} is wrong, and is asked once`, async () => {
      const { finding, asked } = await check({ judge: () => reply });
      expect(finding).to.include({ verdict: 'wrong', code });
      expect(finding.says).to.contain(`The token endpoint does not answer as expected: ${words}`);
      expect(finding.mend).to.be.a('string');
      expect(asked).to.have.lengthOf(1);
    });
  }

  it('RFC 6749 §5.2 — an error of status 200 is an error', async () => {
    const { finding } = await check({ judge: () => says(200, 'invalid_client') });
    expect(finding.code).to.equal('invalid_client');
  });

  it('RFC 6749 §5.1 — a token for a made-up code is wrong', async () => {
    const body = { access_token: 'a', token_type: 'Bearer' };
    const { finding } = await check({ judge: () => ({ body }) });
    expect(finding).to.include({
      verdict: 'wrong',
      says: 'The token endpoint accepts a made-up code.',
    });
  });

  it('no connection — is wrong', async () => {
    const setUp = setUpOf(`http://127.0.0.1:${await freePort()}`);
    expect(await checkClientPair(setUp, askingOf(setUp))).to.include({
      verdict: 'wrong',
      says: 'The token endpoint cannot be asked: the connection was refused.',
      code: 'connection_refused',
    });
  });
});
