/** Checks that every described provider must pass, for any test runner, over real sockets. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { OAuth2Client } from '../client';
import type { ClientOptions } from '../client-options';
import { defineProvider } from '../provider/description';
import type { Endpoints, Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { text } from '../values/json';
import type { Json, JsonObject } from '../values/json';
import { CALLBACK, completeLogin, rejection } from './logins';
import { startStub, stubKeys } from './provider-stub';
import type { StubAnswer, StubAnswers, StubRequest } from './provider-stub';

export interface ProviderCheck {
  title: string;
  /** Rejects with an `AssertionError` when the provider fails the check. */
  run: () => Promise<void>;
}

/** The provider's answers for one person, as its documentation shows them. */
export interface ProviderSample<Options extends object> {
  /** At least `clientID`, and `clientSecret` unless the client is public. */
  options: ClientOptions & Options;
  /** The token response. `origin` is the stub's, for addresses that the response holds. */
  tokenResponse: (origin: string) => JsonObject;
  /** The claims of its ID Token; `iss`, `aud`, `nonce` and times are added, and it is signed. */
  idTokenClaims?: JsonObject;
  /** The answer to the profile request, if one is sent. */
  profileAnswer?: Json;
  /** The expected profile. The check compares only these two fields. */
  profile: { id: string; displayName: string };
  /** The answer to a refresh token that has ended. Default: RFC 6749 §5.2, `invalid_grant`. */
  deadRefreshToken?: StubAnswer;
}

/** One check's surroundings: a stub that plays the provider, and a client that talks to the stub. */
interface World {
  provider: Provider;
  sample: ProviderSample<object>;
  /** The token response of the sample. */
  tokens: JsonObject;
  /** The answers of the stub, by the name of their endpoint. */
  answers: StubAnswers;
  requests: readonly StubRequest[];
  client: OAuth2Client;
  signIn: () => Promise<Profile>;
}

type Check = (world: World) => Promise<void> | void;

/** Answers that hold no person. */
const NOT_A_PERSON: readonly Json[] = [{}, null, [], 'text', 5, { id: '' }, { id: {} }, { sub: 7 }];

const CHECKS: Readonly<Record<string, Check>> = {
  'description — has a name, a title, and endpoints that are https': ({ provider, sample }) => {
    match(provider.name, /^[a-z][\w-]*$/);
    match(provider.title, /\S/);
    const { authorizationResponseIssParameterSupported: _, ...urls } = provider.endpoints(
      sample.options,
    );
    for (const url of Object.values(urls)) {
      ok(url === undefined || new URL(url).protocol === 'https:', `not https: ${url}`);
    }
  },
  // A client may be made at any login, for its tenant or environment.
  'CWE-1321 — takes no endpoint from a polluted prototype': ({ provider, sample }) => {
    const { options } = sample;
    const lent = Object.keys(provider.options).filter((name) => !Object.hasOwn(options, name));
    const make = () => new OAuth2Client(provider, options).endpoints;
    const usual = make();
    const polluted = Object.fromEntries(lent.map((name) => [name, 'https://polluted.test/lent']));
    Object.assign(Object.prototype, polluted);
    let made: Readonly<Endpoints>;
    try {
      made = make();
    } finally {
      for (const name of lent) Reflect.deleteProperty(Object.prototype, name);
    }
    deepEqual(made, usual);
  },
  'RFC 7636 §4.3 — asks with state, S256, and a nonce for an ID Token': ({ client }) => {
    const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK });
    const { searchParams: query } = new URL(url);
    equal(query.get('state'), attempt.state);
    equal(query.get('code_challenge_method'), 'S256');
    equal(query.get('redirect_uri'), CALLBACK);
    equal(query.get('nonce') ?? undefined, attempt.nonce);
  },
  'RFC 6749 §2.3 — proves the client once, by the described method': async (world) => {
    const { clientID, clientSecret } = world.sample.options;
    const method = clientSecret === undefined ? 'none' : world.provider.clientAuthentication;
    const { fields, headers } = await tokenRequest(world);
    const inBody = {
      client_secret_post: [clientID, clientSecret],
      client_secret_basic: [undefined, undefined],
      none: [clientID, undefined],
    };
    deepEqual([fields.client_id, fields.client_secret], inBody[method]);
    equal(headers.authorization?.startsWith('Basic ') === true, method === 'client_secret_basic');
  },
  'RFC 6749 §4.1.3 — sends the code with its verifier and redirect_uri': async (world) => {
    const { fields } = await tokenRequest(world);
    equal(fields.grant_type, 'authorization_code');
    equal(fields.redirect_uri, CALLBACK);
    match(fields.code_verifier ?? '', /^[\w-]{43}$/);
  },
  'profile — is the person of the sample, with a stable id': async ({
    signIn,
    provider,
    sample,
  }) => {
    const { id, displayName, provider: name } = await signIn();
    deepEqual({ id, displayName, name }, { ...sample.profile, name: provider.name });
    equal((await signIn()).id, id);
  },
  'RFC 6750 §5.3 — sends the access token in one place only': async ({
    signIn,
    tokens,
    requests,
  }) => {
    await signIn();
    const token = text(tokens.access_token) ?? '';
    for (const { path, headers } of requests) {
      const places = [decodeURIComponent(path), headers.authorization ?? ''];
      ok(!places.every((place) => place.includes(token)), 'it is in both');
    }
  },
  'profile — refuses an answer that holds no person': async ({ signIn, sample, answers }) => {
    for (const body of sample.profileAnswer === undefined ? [] : NOT_A_PERSON) {
      answers.userInfoEndpoint = { body };
      // oxlint-disable-next-line no-await-in-loop -- one stub, one answer at a time
      equal((await rejection(signIn())).stage, 'profile');
    }
  },
  'RFC 6749 §5.2 — knows a refresh token that has ended': async ({ client, sample, answers }) => {
    const standard = { status: 400, body: { error: 'invalid_grant' } };
    answers.tokenEndpoint = sample.deadRefreshToken ?? standard;
    const error = await rejection(client.refreshTokenGrant('a-refresh-token-that-ended'));
    equal(error.code, 'invalid_grant');
  },
  'secrets — are in no profile, event or error': async ({ signIn, sample, tokens, answers }) => {
    const seen: unknown[] = [];
    const listen = (event: unknown) => seen.push(event);
    channel('crm-oauth2').subscribe(listen);
    try {
      seen.push(await signIn());
      const broken = { status: 500, body: { message: 'out of order' } };
      Object.assign(answers, { userInfoEndpoint: broken, tokenEndpoint: broken });
      seen.push(await rejection(signIn()));
    } finally {
      channel('crm-oauth2').unsubscribe(listen);
    }
    const printed = inspect(seen, { depth: 10 });
    for (const secret of [tokens.access_token, tokens.refresh_token, sample.options.clientSecret]) {
      ok(typeof secret !== 'string' || !printed.includes(secret), printed);
    }
  },
};

async function tokenRequest({ signIn, requests }: World): Promise<StubRequest> {
  await signIn();
  const request = requests.find(({ method }) => method === 'POST');
  ok(request, 'no token request was sent');
  return request;
}

/**
 * @param provider made by `defineProvider`
 * @example
 * for (const { title, run } of providerChecks(acme, sample)) it(title, run);
 */
export function providerChecks<Options extends object, P extends Profile>(
  provider: Provider<Options, P>,
  sample: ProviderSample<Options>,
): readonly ProviderCheck[] {
  return Object.entries(CHECKS).map(([title, check]) => ({
    title,
    run: async () => await inWorld(check, provider, sample),
  }));
}

/** Runs one check against a stub. The path of each endpoint there begins with the endpoint's name. */
async function inWorld(
  check: Check,
  provider: Provider,
  sample: ProviderSample<object>,
): Promise<void> {
  const { options, idTokenClaims, profileAnswer = null } = sample;
  const keys = idTokenClaims && (await stubKeys(provider.idTokenAlgorithms[0] ?? 'RS256'));
  const answers: StubAnswers = {
    userInfoEndpoint: { body: profileAnswer },
    jwksUri: { body: keys?.jwks ?? null },
  };
  const { origin, requests, close } = await startStub(answers);
  const tokens = { ...sample.tokenResponse(origin) };
  answers.tokenEndpoint = { body: tokens };
  const moved = defineProvider({
    ...provider,
    endpoints: (own) => movedTo(origin, provider.endpoints(own)),
  });
  const client = new OAuth2Client(moved, options);
  const signIn = async () => {
    const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
    const iat = Math.floor(Date.now() / 1000);
    const { issuer: iss } = provider.endpoints(options);
    const claims = { iss, aud: options.clientID, nonce: attempt.nonce, iat, exp: iat + 300 };
    if (keys) tokens.id_token = await keys.sign({ ...claims, ...idTokenClaims });
    return await client.fetchProfile(await completeLogin(client, { attempt }));
  };
  try {
    await check({ provider, sample, tokens, answers, requests, client, signIn });
  } finally {
    client.close();
    await close();
  }
}

/** Moves the endpoints to the stub. The issuer stays, because the client only compares it. */
function movedTo(origin: string, endpoints: Endpoints): Endpoints {
  const entries = Object.entries(endpoints).map(([name, url]: [string, unknown]) => {
    if (name === 'issuer' || typeof url !== 'string') return [name, url];
    const { pathname, search } = new URL(url);
    return [name, `${origin}/${name}${pathname}${search}`];
  });
  return Object.fromEntries(entries) as Endpoints;
}
