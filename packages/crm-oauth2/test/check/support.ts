/** Shared by the tests of the set-up check: a provider that plays Acme ID on this machine, and its set-up. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Asking } from '../../dist/check/asking';
import { readSetUp } from '../../dist/check/variables';
import type { Environment, SetUp } from '../../dist/check/variables';
import { defineProvider } from '../../dist/provider/index';
import type { Provider, ProviderDescription } from '../../dist/provider/index';
import { SECRET, httpServer } from '../support';

export const CALLBACK = 'https://app.test/auth/acme/callback';

interface Options {
  issuer?: string;
}

/** A provider of OpenID Connect, whose endpoints follow from its issuer. */
export function acmeId(changes: Partial<ProviderDescription<Options>> = {}): Provider<Options> {
  return defineProvider<Options>({
    name: 'acme',
    title: 'Acme',
    options: { issuer: 'url' },
    endpoints: ({ issuer = 'https://id.acme.test' }) => ({
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/token`,
      userInfoEndpoint: `${issuer}/me`,
      jwksUri: `${issuer}/keys`,
    }),
    scope: ['openid'],
    idToken: 'required',
    hints: { invalid_client: 'Client id or secret is wrong. Copy both from Acme > Apps.' },
    ...changes,
  });
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string is sent as it is. */
  body?: unknown;
}

/** One request as the provider receives it. */
export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  fields: Record<string, string>;
  issuer: string;
}

export type Answers = Record<string, (asked: Asked) => Reply>;

/** The usual answers: one client, one callback, one key. */
const USUAL: Answers = {
  '/.well-known/openid-configuration': ({ issuer }) => ({
    body: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      jwks_uri: `${issuer}/keys`,
    },
  }),
  '/keys': () => ({ body: { keys: [{ kty: 'RSA', use: 'sig', kid: '1' }] } }),
  '/authorize': ({ query }) => {
    if (query.client_id !== 'client-1') return { status: 400, body: 'no such application' };
    if (query.redirect_uri !== CALLBACK) return { status: 400, body: 'no such callback' };
    return { status: 302, headers: { location: '/sign-in' } };
  },
  '/token': ({ fields }) =>
    fields.client_id === 'client-1' && fields.client_secret === SECRET
      ? { status: 400, body: { error: 'invalid_grant' } }
      : { status: 401, body: { error: 'invalid_client' } },
};

/** Starts the provider. Changes replace usual answers; the requests are in `asked`. */
export async function startAcme(
  changes: Answers = {},
): Promise<{ issuer: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', issuer);
    const form = (await request.setEncoding('utf8').toArray()).join('');
    const one = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      fields: Object.fromEntries(new URLSearchParams(form)),
      issuer,
    };
    asked.push(one);
    const answer = { ...USUAL, ...changes }[url.pathname];
    const { status = 200, headers, body = {} } = answer?.(one) ?? { status: 404 };
    const isText = typeof body === 'string';
    const type = { 'content-type': isText ? 'text/html' : 'application/json' };
    response.writeHead(status, { ...type, ...headers });
    response.end(isText ? body : JSON.stringify(body));
  };
  const issuer: string = await httpServer((request, response) => void receive(request, response));
  return { issuer, asked };
}

/** The variables of a right set-up. */
export function environmentOf(issuer: string, changes: Environment = {}): Environment {
  return {
    ACME_CLIENT_ID: 'client-1',
    ACME_CLIENT_SECRET: SECRET,
    ACME_CALLBACK_URL: CALLBACK,
    ACME_ISSUER: issuer,
    ...changes,
  };
}

export function setUpOf(
  issuer: string,
  changes: Environment = {},
  provider: Provider<Options> = acmeId(),
): SetUp {
  const isPublic = changes.ACME_CLIENT_SECRET === '';
  return readSetUp(provider, 'ACME', environmentOf(issuer, changes), isPublic);
}

/** Asks with one second for each request. */
export function askingOf({ provider }: Pick<SetUp, 'provider'>, now: () => number = Date.now) {
  return new Asking(provider, 1000, now);
}
