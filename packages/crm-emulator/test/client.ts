/** A client for the emulator, made of `node:http` alone: it sets any header, and follows no redirect. */
import { request as httpRequest } from 'node:http';
import type { Emulator, ProviderName } from 'crm-emulator';

/** RFC 7636 Appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

export const CALLBACK = 'http://localhost:3000/callback';

const PATHS = {
  salesloft: { authorize: '/oauth/authorize', token: '/oauth/token' },
  salesos: { authorize: '/authorize', token: '/oauth/token' },
  salesforce: { authorize: '/services/oauth2/authorize', token: '/services/oauth2/token' },
} as const;

const SCOPES = {
  salesloft: 'people:read cadences:read',
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
}

/** Sends one request over a socket of its own. */
export async function send(
  url: string,
  { method, headers = {}, form, body = form && formOf(form) }: Sent = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      {
        agent: false,
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

export function get(url: string, token?: unknown): Promise<Answer> {
  return send(url, token === undefined ? {} : { headers: bearer(token) });
}

/** Shares no code with the packages under test, so that one mistake cannot hide in both. */
export class Client {
  /** The origin that logs in. */
  readonly origin: string;
  readonly credentials: { client_id: string; client_secret: string };

  /** @param at replaces the origin or the registered client */
  constructor(
    emulator: Emulator,
    readonly name: ProviderName,
    at: { origin?: string; clientID?: string; clientSecret?: string } = {},
  ) {
    const { origin, clientID, clientSecret } = { ...emulator[name], ...at };
    this.origin = origin;
    this.credentials = { client_id: clientID, client_secret: clientSecret };
  }

  get tokenURL(): string {
    return this.origin + PATHS[this.name].token;
  }

  /** Sends the authorization request. */
  async start(changes: Fields = {}): Promise<Answer> {
    const query = formOf({
      response_type: 'code',
      client_id: this.credentials.client_id,
      redirect_uri: CALLBACK,
      state: 'a-state',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      scope: SCOPES[this.name],
      ...(this.name === 'salesos' && { audience: 'https://api.play2sell.com' }),
      ...changes,
    });
    return send(`${this.origin}${PATHS[this.name].authorize}?${query}`);
  }

  async page(changes: Fields = {}): Promise<{ url: string; html: string }> {
    const { headers } = await this.start(changes);
    const url = new URL(headers['location'] as string, this.origin).href;
    return { url, html: (await send(url)).text };
  }

  /** Answers the sign-in page; returns the whole answer that sends the browser back. */
  async back(who = 'Marta Quill', changes: Fields = {}, rehearsal?: string): Promise<Answer> {
    const { url, html } = await this.page(changes);
    const person = new RegExp(`value="(\\d+)"[^>]*>\\s*Continue as ${who}`).exec(html)?.[1];
    const fault = rehearsal && optionOf(html, rehearsal);
    const chosen = await send(url, { form: { person, fault } });
    return send(new URL(chosen.headers['location'] as string, url).href);
  }

  /** Answers the sign-in page; returns the callback's URL. */
  async callback(...asked: Parameters<Client['back']>): Promise<URL> {
    return new URL((await this.back(...asked)).headers['location'] as string);
  }

  async token(form: Fields): Promise<Answer> {
    return send(this.tokenURL, { form: { ...this.credentials, ...form } });
  }

  async exchange(code: string | null, changes: Fields = {}): Promise<Answer> {
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

  async refresh({ refresh_token }: Json, changes: Fields = {}): Promise<Answer> {
    return this.token({
      grant_type: 'refresh_token',
      refresh_token: String(refresh_token),
      ...changes,
    });
  }
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

export function claimsOf(token: unknown): Json {
  return parsed(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}
