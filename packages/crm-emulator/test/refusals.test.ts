/** Proves every entry of `REFUSALS`, by a test of the same title. */
import { expect } from 'chai';
import { type Emulator, type ProviderName, REFUSALS, startEmulator } from 'crm-emulator';
import {
  type Answer,
  AUDIENCE,
  CALLBACK,
  Client,
  get,
  type Json,
  NAMES,
  refusedAt,
  send,
  waitSeconds,
} from './client.js';

/** The status and the error of an answer, such as `400 invalid_grant`. */
const statusAndError = ({ status, json }: Answer) => `${status} ${String(json['error'])}`;
const description = ({ json }: Answer) => json['error_description'];

const INVALID_GRANT = {
  salesloft: '400 invalid_grant',
  salesos: '403 invalid_grant',
  salesforce: '400 invalid_grant',
} as const;

/** A second client of each provider. */
const registrationOf = (provider: ProviderName) => ({
  provider,
  clientID: 'another-client',
  clientSecret: 'secret-of-another-client',
});

describe('crm-emulator: refusals', () => {
  let emulator: Emulator;
  let strict: Emulator;
  /** Its codes and access tokens expire after a second. */
  let shortLived: Emulator;
  let clients: Record<(typeof NAMES)[number], Client>;

  before(async function () {
    // Three emulators make twelve RSA keys, which takes long on a busy machine.
    this.timeout(60_000);
    [emulator, strict, shortLived] = await Promise.all([
      startEmulator({ clients: NAMES.map(registrationOf) }),
      startEmulator({ pkce: 'required', refreshTokenRotation: { salesforce: true } }),
      startEmulator({ codeTTL: 1, accessTokenTTL: 1 }),
    ]);
    clients = of(emulator);
  });

  after(() => Promise.all([emulator, strict, shortLived].map((running) => running.close())));

  function of(running: Emulator) {
    return {
      salesloft: new Client(running, 'salesloft'),
      salesos: new Client(running, 'salesos'),
      salesforce: new Client(running, 'salesforce'),
    };
  }

  async function each(proof: (client: Client) => Promise<void>, running = emulator): Promise<void> {
    for (const name of NAMES) await proof(of(running)[name]);
  }

  async function page(url: string): Promise<string> {
    const { status, headers, text } = await send(url);
    expect(status).to.equal(400);
    expect(headers['location']).to.equal(undefined);
    expect(headers['content-type']).to.match(/^text\/html/);
    return text;
  }

  const proofs: Record<string, () => Promise<void>> = {
    'shows a page, and redirects nowhere, when the client is unknown': async () => {
      const expected = {
        salesloft: 'invalid_client',
        salesos: 'Unknown client',
        salesforce: 'client identifier invalid',
      };
      await each(async (client) => {
        const shown = await page(client.authorizationURL({ client_id: 'unknown-client' }));
        expect(shown).to.include(expected[client.name]);
      });
    },

    'shows a page, and redirects nowhere, when the redirect URI is not registered': async () => {
      const expected = {
        salesloft: 'invalid_redirect_uri',
        salesos: 'Callback URL mismatch',
        salesforce: 'redirect_uri must match configuration',
      };
      const wrong = [
        'https://app.example/callback',
        'http://localhost.example/callback',
        'http://user@localhost/callback',
        'http://localhost/callback#fragment',
        'javascript://localhost/%0aalert(1)',
      ];
      await each(async (client) => {
        for (const redirect_uri of wrong) {
          expect(await page(client.authorizationURL({ redirect_uri }))).to.include(
            expected[client.name],
          );
        }
      });
    },

    'refuses a repeated parameter of the authorization request': () =>
      each(async (client) => {
        const refused = await refusedAt(`${client.authorizationURL()}&code_challenge=another`);
        expect(refused).to.include({ error: 'invalid_request', state: 'a-state' });
      }),

    'refuses a response type other than code': () =>
      each(async (client) => {
        const refused = await refusedAt(client.authorizationURL({ response_type: 'token' }));
        expect(refused).to.include({ error: 'unsupported_response_type', state: 'a-state' });
      }),

    'refuses an unknown scope (Salesloft, Salesforce)': async () => {
      const refusal = async (client: Client) =>
        refusedAt(client.authorizationURL({ scope: 'everything' }));
      expect(await refusal(clients.salesloft)).to.include({ error: 'invalid_scope' });
      expect(await refusal(clients.salesforce)).to.include({
        error: 'invalid_scope',
        error_description: 'the requested scope is not allowed',
      });
    },

    'refuses an unknown audience': async () => {
      const audience = 'https://api.other.example';
      const refused = await refusedAt(clients.salesos.authorizationURL({ audience }));
      expect(refused).to.include({
        error: 'access_denied',
        error_description: `Service not found: ${audience}`,
      });
      const machine = await clients.salesos.token({ grant_type: 'client_credentials', audience });
      expect(statusAndError(machine)).to.equal('403 access_denied');
    },

    'refuses an unknown organization, and a person who is not a member (SalesOS)': async () => {
      const { salesos } = clients;
      const unknown = salesos.authorizationURL({ organization: 'unknown' });
      expect(await refusedAt(unknown)).to.include({
        error: 'invalid_request',
        error_description: 'parameter organization is invalid',
      });
      const refused = await salesos.signIn('Suri', { organization: 'pine-street-cycles' });
      expect(refused).to.include({ error: 'access_denied' });
      expect(refused['error_description']).to.match(/ is not part of the org_\w+ organization$/);
    },

    'refuses an invitation of another person, and one that was used (SalesOS)': async () => {
      const { salesos } = clients;
      const { invitation, organization } = emulator.salesos.invite('Suri', 'pine-street-cycles');
      expect(await salesos.signIn('Marta Quill', { invitation, organization })).to.include({
        error: 'access_denied',
        error_description: 'the specified account is not allowed to accept the current invitation',
      });
      const again = salesos.authorizationURL({ invitation, organization });
      expect(await refusedAt(again)).to.include({ error: 'invalid_request' });
    },

    'refuses to go to a URI that is not allowed, after a logout (SalesOS)': async () => {
      const query = `post_logout_redirect_uri=${encodeURIComponent('https://evil.example/')}`;
      const shown = await page(`${emulator.salesos.origin}/oidc/logout?${query}`);
      expect(shown).to.include('Allowed Logout URLs');
    },

    'refuses a request without a code challenge where one is required': async () => {
      const expected = {
        salesloft: 'Code challenge is required.',
        salesos: 'Parameter code_challenge is required',
        salesforce: 'missing required code challenge',
      };
      const none = { code_challenge: undefined, code_challenge_method: undefined };
      await each(async (client) => {
        expect(await refusedAt(client.authorizationURL(none))).to.include({
          error: 'invalid_request',
          error_description: expected[client.name],
        });
      }, strict);
      expect(await refusedAt(clients.salesforce.authorizationURL(none))).to.include({
        error: 'invalid_request',
      });
    },

    'refuses the plain code challenge method': async () => {
      const expected = {
        salesloft: 'invalid_code_challenge_method',
        salesos: 'invalid_request',
        salesforce: 'invalid_request',
      };
      await each(async (client) => {
        const url = client.authorizationURL({ code_challenge_method: 'plain' });
        expect(await refusedAt(url)).to.include({ error: expected[client.name] });
      });
      const unnamed = clients.salesloft.authorizationURL({ code_challenge_method: undefined });
      expect(await refusedAt(unnamed)).to.include({ error: 'invalid_code_challenge_method' });
    },

    'refuses prompt=none, because it asks at every request who signs in': () =>
      each(async (client) => {
        const refused = await refusedAt(client.authorizationURL({ prompt: 'none' }));
        expect(refused).to.include({ error: 'login_required', state: 'a-state' });
      }),

    'refuses immediate=true': async () => {
      const refused = await refusedAt(clients.salesforce.authorizationURL({ immediate: 'true' }));
      expect(refused).to.include({ error: 'immediate_unsuccessful' });
    },

    'says access_denied when the person denies': async () => {
      const expected = {
        salesloft: 'The resource owner or authorization server denied the request.',
        salesos: 'The user denied the authorization request',
        salesforce: 'end-user denied authorization',
      };
      await each(async (client) => {
        expect(await client.signIn('Deny')).to.deep.equal({
          error: 'access_denied',
          error_description: expected[client.name],
          state: 'a-state',
        });
      });
    },

    'refuses an inactive person (SalesOS, Salesforce)': async () => {
      expect(await clients.salesos.signIn('Dario Plum')).to.include({
        error: 'unauthorized',
        error_description: 'user is blocked',
      });
      expect(await clients.salesforce.signIn('Dario Plum')).to.include({ error: 'inactive_user' });
      const tokens = await clients.salesloft.login('Dario Plum');
      const { json } = await clients.salesloft.profile(tokens);
      expect(json['data']).to.include({ active: false });
    },

    'refuses a code that was used, and revokes the tokens it gave': () =>
      each(async (client) => {
        const { code } = await client.signIn();
        const first = await client.exchange(code);
        expect(first.status).to.equal(200);
        expect(statusAndError(await client.exchange(code))).to.equal(INVALID_GRANT[client.name]);
        expect(statusAndError(await client.refresh(first.json))).to.equal(
          INVALID_GRANT[client.name],
        );
      }),

    'refuses a code that has expired': async () => {
      const codes: [Client, string | undefined][] = [];
      await each(async (client) => {
        codes.push([client, (await client.signIn())['code']]);
      }, shortLived);
      await waitSeconds(2);
      for (const [client, code] of codes) {
        const refused = await client.exchange(code);
        expect(statusAndError(refused)).to.equal(INVALID_GRANT[client.name]);
        if (client.name === 'salesforce')
          expect(description(refused)).to.equal('expired authorization code');
      }
    },

    'refuses a code and a refresh token of another client': () =>
      each(async (client) => {
        const other = new Client(emulator, client.name, registrationOf(client.name));
        const { code } = await client.signIn();
        expect(statusAndError(await other.exchange(code))).to.equal(INVALID_GRANT[client.name]);
        const tokens = await client.login();
        expect(statusAndError(await other.refresh(tokens))).to.equal(INVALID_GRANT[client.name]);
      }),

    'refuses an invented code': async () => {
      await each(async (client) => {
        expect(statusAndError(await client.exchange('an-invented-code'))).to.equal(
          INVALID_GRANT[client.name],
        );
      });
      const { code } = await clients.salesforce.signIn();
      const twice = await clients.salesforce.exchange(encodeURIComponent(code ?? ''));
      expect(description(twice)).to.equal('invalid authorization code');
    },

    'refuses a redirect URI other than that of the authorization request': async () => {
      const expected = { ...INVALID_GRANT, salesforce: '400 redirect_uri_mismatch' };
      await each(async (client) => {
        const { code } = await client.signIn();
        const refused = await client.exchange(code, { redirect_uri: `${CALLBACK}/` });
        expect(statusAndError(refused)).to.equal(expected[client.name]);
      });
    },

    'refuses a wrong code verifier': () =>
      each(async (client) => {
        const { code } = await client.signIn();
        for (const code_verifier of ['v'.repeat(43), 'too-short']) {
          const refused = await client.exchange(code, { code_verifier });
          expect(statusAndError(refused)).to.equal(INVALID_GRANT[client.name]);
        }
      }),

    'refuses a missing code verifier when a challenge was sent': async () => {
      const expected = { ...INVALID_GRANT, salesloft: '400 invalid_request' };
      await each(async (client) => {
        const { code } = await client.signIn();
        const refused = await client.exchange(code, { code_verifier: undefined });
        expect(statusAndError(refused)).to.equal(expected[client.name]);
      });
    },

    'refuses a wrong client secret': async () => {
      const expected = {
        salesloft: '401 invalid_client',
        salesos: '401 invalid_client',
        salesforce: '400 invalid_client',
      };
      await each(async (client) => {
        const { code } = await client.signIn();
        const refused = await client.exchange(code, { client_secret: 'wrong' });
        expect(statusAndError(refused)).to.equal(expected[client.name]);
        const none = await client.exchange(code, { client_secret: undefined });
        expect(statusAndError(none)).to.equal(expected[client.name]);
        const challenge = refused.headers['www-authenticate'];
        if (client.name === 'salesloft') expect(challenge).to.match(/^Bearer realm="Doorkeeper"/);
      });
    },

    'refuses an unknown client at the token endpoint': async () => {
      const expected = {
        salesloft: '401 invalid_client',
        salesos: '401 invalid_client',
        salesforce: '400 invalid_client_id',
      };
      await each(async (client) => {
        const refused = await client.exchange('a-code', { client_id: 'unknown-client' });
        expect(statusAndError(refused)).to.equal(expected[client.name]);
      });
    },

    'refuses two client authentication methods at once': () =>
      each(async (client) => {
        const { client_id, client_secret } = client.credentials;
        const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
        const refused = await client.token(
          { grant_type: 'refresh_token', refresh_token: 'a-token' },
          { headers: { authorization: `Basic ${basic}` } },
        );
        expect(statusAndError(refused)).to.equal('400 invalid_request');
      }),

    'refuses an unknown grant type': () =>
      each(async (client) => {
        const refused = await client.token({ grant_type: 'password' });
        expect(statusAndError(refused)).to.equal('400 unsupported_grant_type');
      }),

    'names the parameter that is missing': () =>
      each(async (client) => {
        const { code } = await client.signIn();
        const refused = await client.exchange(code, { redirect_uri: undefined });
        expect(statusAndError(refused)).to.equal('400 invalid_request');
        expect(description(refused)).to.match(/^missing required parameter: redirect_uri\.?$/i);
      }),

    'refuses GET at the token endpoint': () =>
      each(async (client) => {
        expect((await get(client.url('token'))).status).to.equal(404);
      }),

    'refuses credentials and codes in the query of a token request (Salesloft, Salesforce)':
      async () => {
        for (const client of [clients.salesloft, clients.salesforce]) {
          for (const name of ['client_secret', 'code', 'refresh_token']) {
            const url = `${client.url('token')}?${name}=secret`;
            const refused = await send(url, { method: 'POST' });
            expect(statusAndError(refused)).to.equal('400 invalid_request');
          }
        }
      },

    'refuses a JSON body at the token endpoint': async () => {
      const refused = await clients.salesforce.token(
        {},
        {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...clients.salesforce.credentials, grant_type: 'refresh_token' }),
        },
      );
      expect(statusAndError(refused)).to.equal('400 unsupported_grant_type');
    },

    'refuses a scope in any token request': async () => {
      const { salesforce } = clients;
      const { code } = await salesforce.signIn();
      for (const refused of [
        await salesforce.exchange(code, { scope: 'api' }),
        await salesforce.token({ grant_type: 'refresh_token', refresh_token: 'x', scope: 'api' }),
      ]) {
        expect(statusAndError(refused)).to.equal('400 invalid_request');
        expect(description(refused)).to.equal('scope parameter not supported');
      }
    },

    'refuses client credentials without an audience (SalesOS), or at all (Salesforce)':
      async () => {
        const grant_type = 'client_credentials';
        const salesos = await clients.salesos.token({ grant_type });
        expect(statusAndError(salesos)).to.equal('400 invalid_request');
        expect(description(salesos)).to.equal('Missing required parameter: audience');
        const salesforce = await clients.salesforce.token({ grant_type });
        expect(statusAndError(salesforce)).to.equal('400 invalid_grant');
      },

    'refuses a refresh token that a refresh has replaced': () =>
      each(async (client) => {
        const old = await client.login();
        expect((await client.refresh(old)).status).to.equal(200);
        expect(statusAndError(await client.refresh(old))).to.equal(INVALID_GRANT[client.name]);
      }, strict),

    'revokes the live refresh token when an old one is replayed (SalesOS, Salesforce)':
      async () => {
        const replay = async (client: Client) => {
          const old = await client.login();
          const { json } = await client.refresh(old);
          await client.refresh(old);
          return client.refresh(json);
        };
        const running = of(strict);
        expect(statusAndError(await replay(running.salesos))).to.equal('403 invalid_grant');
        expect(description(await replay(running.salesforce))).to.equal(
          'expired access/refresh token',
        );
        expect((await replay(running.salesloft)).status).to.equal(200);
      },

    'refuses to revoke for a client that is not authenticated (Salesloft, SalesOS)': async () => {
      const expected = { salesloft: 403, salesos: 401 };
      for (const name of ['salesloft', 'salesos'] as const) {
        const url = clients[name].url('revoke');
        const { status } = await send(url, { form: { token: 'a-token' } });
        expect(status).to.equal(expected[name]);
      }
    },

    'refuses to revoke an unknown token (Salesforce)': async () => {
      const url = clients.salesforce.url('revoke');
      const refused = await send(url, { form: { token: 'a-token' } });
      expect(statusAndError(refused)).to.equal('400 invalid_token');
    },

    'refuses a profile request without a token, or with an invalid one': () =>
      each(async (client) => {
        const url = client.profileURL(await client.login());
        const [none, invalid] = [await get(url), await get(url, 'invented')];
        if (client.name === 'salesforce') {
          expect(none).to.include({ status: 403, text: 'Missing_OAuth_Token' });
          expect(invalid).to.include({ status: 403, text: 'Bad_OAuth_Token' });
          expect(none.headers['content-type']).to.match(/^text\/plain/);
        } else {
          expect([none.status, invalid.status]).to.deep.equal([401, 401]);
          expect(none.json['error']).to.be.a('string');
        }
      }),

    'refuses an access token in a URL': () =>
      each(async (client) => {
        const tokens = await client.login();
        const url = `${client.profileURL(tokens)}?access_token=${String(tokens['access_token'])}`;
        expect((await get(url)).status).to.equal(client.name === 'salesforce' ? 403 : 401);
      }),

    'refuses an access token that has expired': async () => {
      const held: [Client, Json][] = [];
      await each(async (client) => {
        held.push([client, await client.login()]);
      }, shortLived);
      await waitSeconds(2);
      for (const [client, tokens] of held) {
        const { status } = await client.profile(tokens);
        expect(status).to.equal(client.name === 'salesforce' ? 403 : 401);
      }
    },

    'refuses the identity of another person, another organization or an unknown user': async () => {
      const { salesforce } = clients;
      const scope = 'openid id';
      const mine = await salesforce.login('Marta Quill', { scope });
      const theirs = await salesforce.login('Suri', { scope });
      const read = (url: unknown) => get(String(url), mine['access_token']);
      expect(await read(theirs['id'])).to.include({ status: 403, text: 'No_Access' });
      const elsewhere = String(mine['id']).replace(/00D\w{15}/, '00D000000000001EAA');
      expect(await read(elsewhere)).to.include({ status: 403, text: 'Wrong_Org' });
      const unknown = String(mine['id']).replace(/005\w{15}/, '005000000000001AAA');
      expect(await read(unknown)).to.include({ status: 404, text: 'Bad_Id' });
    },

    'refuses an API call without the scope (Salesloft, SalesOS)': async () => {
      const { salesloft, salesos } = clients;
      const people = await salesloft.login('Suri', { scope: 'people:read' });
      const cadence = `${salesloft.provider.origin}/v2/cadence_exports/1.json`;
      expect((await get(cadence, people['access_token'])).status).to.equal(403);

      const reader = await salesos.login();
      const leads = `${salesos.provider.origin}/v1/leads`;
      expect((await get(leads, reader['access_token'])).status).to.equal(200);
      const refused = await get(leads, reader['access_token'], { method: 'POST' });
      expect(refused.status).to.equal(403);
      expect(refused.json['error']).to.include({ code: 'FORBIDDEN' });
      expect((await get(leads)).json['error']).to.include({ code: 'UNAUTHORIZED' });
      const opaque = await salesos.login('Suri', { audience: undefined });
      expect((await get(leads, opaque['access_token'])).status).to.equal(401);
    },

    'refuses a refresh with a wider scope than was granted (Salesloft, SalesOS)': async () => {
      const { salesloft, salesos } = clients;
      const expected = [
        [salesloft, 'people:read', 'people:read cadences:write', '400 invalid_scope'],
        [salesos, 'openid offline_access', 'openid users:write', '403 invalid_scope'],
      ] as const;
      for (const [client, granted, scope, answered] of expected) {
        const tokens = await client.login('Suri', { scope: granted });
        const fields = {
          grant_type: 'refresh_token',
          refresh_token: String(tokens['refresh_token']),
          scope,
        };
        expect(statusAndError(await client.token(fields))).to.equal(answered);
        expect((await client.refresh(tokens)).status).to.equal(200);
      }
    },

    'refuses a refresh of a person who was deactivated': () =>
      each(async (client) => {
        const tokens = await client.login('Suri');
        client.provider.setActive('Suri', false);
        try {
          const refused = await client.refresh(tokens);
          expect(statusAndError(refused)).to.equal(INVALID_GRANT[client.name]);
          if (client.name !== 'salesloft') {
            expect(description(refused)).to.match(/^(user is blocked|inactive user)$/);
          }
        } finally {
          client.provider.setActive('Suri', true);
        }
      }),

    'refuses a Host that is not its own': () =>
      each(async ({ provider: { origin } }) => {
        const { port } = new URL(origin);
        const at = async (host: string) => (await send(origin, { headers: { host } })).status;
        expect(await at(`localhost:${port}`)).to.equal(200);
        expect(await at(`evil.example:${port}`)).to.equal(421);
      }),

    'refuses an API key that is not listed': async () => {
      const { salesloft } = clients;
      expect((await get(salesloft.profileURL({}), `ak${'0'.repeat(64)}`)).status).to.equal(401);
    },

    'refuses a cadence import that is not valid': async () => {
      const { salesloft } = clients;
      const { access_token: token } = await salesloft.login();
      const refused = await get(`${salesloft.provider.origin}/v2/cadence_imports.json`, token, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ settings: {} }),
      });
      expect(refused.status).to.equal(422);
      expect(refused.json['errors']).to.have.all.keys('cadence_content', 'settings.name');
    },

    'refuses a lead without a name': async () => {
      const { salesos } = clients;
      const grant = { grant_type: 'client_credentials', audience: AUDIENCE };
      const { json } = await salesos.token(grant);
      const refused = await get(`${salesos.provider.origin}/v1/leads`, json['access_token'], {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      expect(refused.status).to.equal(400);
      expect(refused.json['error']).to.include({ code: 'VALIDATION_ERROR' });
    },
  };

  for (const { section, behaviour } of REFUSALS) {
    it(`${section} — ${behaviour}`, async () => {
      const proof = proofs[behaviour];
      if (!proof) throw new Error('no proof of this title: add one to `proofs`');
      await proof();
    });
  }

  it('crm-emulator — lists every refusal that has a proof', () => {
    expect(Object.keys(proofs)).to.have.members(REFUSALS.map(({ behaviour }) => behaviour));
  });
});
