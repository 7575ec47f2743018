/** A client for the emulator, made of `node:http` alone: it sets any header, and follows no redirect. */
import { request as httpRequest } from 'node:http';
import type { Emulator, ProviderName } from 'crm-emulator';

/** RFC 7636 Appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

export const CALLBACK = 'http://localhost:3000/callback';
export const AUDIENCE = 'https://api.play2sell.com';
export const NAMES = ['salesloft', 'salesos', 'salesforce'] as const;

const PATHS = {
  salesloft: { authorize: '/oauth/authorize', token: '/oauth/token', revoke: '/oauth/revoke' },
  salesos: { authorize: '/authorize', token: '/oauth/token', revoke: '/oauth/revoke' },
  salesforce: {
    authorize: '/services/oauth2/authorize',
    token: '/services/oauth2/token',
    revoke: '/services/oauth2/revoke',
  },
} as const;

const SCOPES = {
  salesloft: undefined,
  salesos: 'openid profile email offline_access leads:read',
  salesforce: 'openid id api refresh_token',
} as const;

export type Fields = Record<string, string | undefined>;
export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Json;
}

export interface Sent {
  method?: string;
  headers?: Record<string, string>;
  form?: Fields;
  body?: string;
  signal?: AbortSignal;
}

/** Sends one request over a socket of its own. */
export async function send(
  url: string,
  { method, headers = {}, form, body = form && formOf(form), signal }: Sent = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      {
        agent: false,
        signal,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: parsed(text),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` });

export function get(url: string, token?: unknown, sent: Sent = {}): Promise<Answer> {
  const headers = { ...(token !== undefined && bearer(token)), ...sent.headers };
  return send(url, { ...sent, headers });
}

/** The callback's parameters when the request is refused without a sign-in page. */
export async function refusedAt(url: string): Promise<Record<string, string>> {
  const { headers } = await send(url);
  return Object.fromEntries(new URL(headers['location'] as string).searchParams);
}

/** Shares no code with the packages under test, so that one mistake cannot hide in both. */
export class Client {
  /** The origin that logs in. */
  readonly origin: string;
  readonly provider: Emulator[ProviderName];
  readonly credentials: { client_id: string; client_secret: string };

  /** @param at replaces the origin or the registered client */
  constructor(
    emulator: Emulator,
    readonly name: ProviderName,
    at: { origin?: string; clientID?: string; clientSecret?: string } = {},
  ) {
    const { origin, clientID, clientSecret } = { ...emulator[name], ...at };
    this.provider = emulator[name];
    this.origin = origin;
    this.credentials = { client_id: clientID, client_secret: clientSecret };
  }

  url(step: 'authorize' | 'token' | 'revoke'): string {
    return this.origin + PATHS[this.name][step];
  }

  /** The URL of an authorization request. A change to undefined removes the parameter. */
  authorizationURL(changes: Fields = {}): string {
    const query = formOf({
      response_type: 'code',
      client_id: this.credentials.client_id,
      redirect_uri: CALLBACK,
      state: 'a-state',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      scope: SCOPES[this.name],
      ...(this.name === 'salesos' && { audience: AUDIENCE }),
      ...(this.name !== 'salesloft' && { nonce: 'a-nonce' }),
      ...changes,
    });
    return `${this.url('authorize')}?${query}`;
  }

  async page(changes: Fields = {}) {
    const started = await send(this.authorizationURL(changes));
    const url = new URL(started.headers['location'] as string, this.origin).href;
    const { text: html, headers } = await send(url);
    return { url, html, headers };
  }

  /** Answers the sign-in page; returns the whole answer that sends the browser back. */
  async back(who = 'Marta Quill', changes: Fields = {}, rehearsal?: string): Promise<Answer> {
    const { url, html } = await this.page(changes);
    const person = buttons(html).find(({ label }) => label === `Continue as ${who}`)?.value;
    const fault = rehearsal && optionOf(html, rehearsal);
    const chosen = await send(url, { form: person ? { person, fault } : { deny: '1', fault } });
    return send(new URL(chosen.headers['location'] as string, url).href);
  }

  /** Answers the sign-in page; returns the callback's URL. */
  async callback(...asked: Parameters<Client['back']>): Promise<URL> {
    return new URL((await this.back(...asked)).headers['location'] as string);
  }

  /** Answers the sign-in page; returns the callback's parameters. */
  async signIn(...asked: Parameters<Client['back']>): Promise<Record<string, string>> {
    return Object.fromEntries((await this.callback(...asked)).searchParams);
  }

  async token(form: Fields, sent: Sent = {}): Promise<Answer> {
    return send(this.url('token'), { form: { ...this.credentials, ...form }, ...sent });
  }

  async exchange(code: string | null | undefined, changes: Fields = {}): Promise<Answer> {
    return this.token({
      grant_type: 'authorization_code',
      code: code ?? undefined,
      redirect_uri: CALLBACK,
      code_verifier: VERIFIER,
      ...changes,
    });
  }

  async login(...asked: Parameters<Client['back']>): Promise<Json> {
    const { searchParams } = await this.callback(...asked);
    return (await this.exchange(searchParams.get('code'))).json;
  }

  profileURL(tokens: Json): string {
    if (this.name === 'salesforce') return String(tokens['id']);
    return this.origin + (this.name === 'salesloft' ? '/v2/me.json' : '/userinfo');
  }

  async profile(tokens: Json): Promise<Answer> {
    return get(this.profileURL(tokens), tokens['access_token']);
  }

  async refresh({ refresh_token }: Json, changes: Fields = {}): Promise<Answer> {
    return this.token({
      grant_type: 'refresh_token',
      refresh_token: String(refresh_token),
      ...changes,
    });
  }
}

/** The submit buttons of a page, with their accessible names. */
export function buttons(html: string): { label: string; value: string }[] {
  return [...html.matchAll(/<button([^>]*)>([^<]*)<\/button>/g)].map(([, attributes, text]) => ({
    label: decoded(text ?? ''),
    value: /value="([^"]*)"/.exec(attributes ?? '')?.[1] ?? '',
  }));
}

/** The value of the option with this text. */
function optionOf(html: string, label: string): string {
  const option = [...html.matchAll(/<option value="(\d+)">([^<]*)<\/option>/g)].find(
    ([, , text]) => decoded(text ?? '') === label,
  );
  if (!option?.[1]) throw new Error(`the page does not offer: ${label}`);
  return option[1];
}

/** The labels that the sign-in page offers, by their group. */
export function offered(html: string): Record<string, string[]> {
  const groups = html.matchAll(/<optgroup label="([^"]*)">([\s\S]*?)<\/optgroup>/g);
  return Object.fromEntries(
    [...groups].map(([, group = '', options = '']) => [
      group,
      [...options.matchAll(/<option[^>]*>([^<]*)</g)].map(([, text]) => decoded(text ?? '')),
    ]),
  );
}

function decoded(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ')
    .trim();
}

export function formOf(fields: Fields): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new URLSearchParams(entries as [string, string][]).toString();
}

export const headerOf = (token: unknown) => part(token, 0);
export const claimsOf = (token: unknown) => part(token, 1);

function part(token: unknown, index: number): Json {
  return parsed(Buffer.from(String(token).split('.')[index] ?? '', 'base64url').toString());
}

/** Waits by the wall clock, which decides when tokens expire and may be set back; at most 10 s. */
export async function waitSeconds(count: number): Promise<void> {
  const end = Date.now() + count * 1000;
  for (let round = 0; round < 200 && Date.now() < end; round += 1) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}
