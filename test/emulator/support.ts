/** A client for the emulator, made of `fetch` alone, and helpers to read its answers. */
import type { Emulator, ProviderName } from 'crm-emulator';

/** RFC 7636 Appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

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
  salesforce: 'openid id refresh_token',
} as const;

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  text: string;
  json: Json;
  headers: Headers;
}

type Fields = Record<string, string | undefined>;

/** Shares no code with the packages under test, so that one mistake cannot hide in both. */
export class Client {
  constructor(
    readonly emulator: Emulator,
    readonly name: ProviderName,
  ) {}

  get provider() {
    return this.emulator[this.name];
  }

  url(step: keyof (typeof PATHS)['salesloft']): string {
    return this.provider.origin + PATHS[this.name][step];
  }

  /** The URL of an authorization request. A change to undefined removes the parameter. */
  authorizationURL(changes: Fields = {}): string {
    const fields: Fields = {
      response_type: 'code',
      client_id: this.provider.clientID,
      redirect_uri: CALLBACK,
      state: 'a-state',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      scope: SCOPES[this.name],
      ...(this.name === 'salesos' && { audience: AUDIENCE }),
      ...(this.name !== 'salesloft' && { nonce: 'a-nonce' }),
      ...changes,
    };
    return `${this.url('authorize')}?${form(fields).toString()}`;
  }

  async page(changes: Fields = {}): Promise<{ url: string; html: string; headers: Headers }> {
    const started = await fetch(this.authorizationURL(changes), { redirect: 'manual' });
    const url = new URL(started.headers.get('location') ?? '', this.provider.origin).href;
    const shown = await fetch(url);
    return { url, html: await shown.text(), headers: shown.headers };
  }

  /** Answers the sign-in page, and returns the callback's parameters. */
  async signIn(who = 'Marta Quill', changes: Fields = {}, extra: Fields = {}) {
    const { url, html } = await this.page(changes);
    const person = buttons(html).find(({ label }) => label === `Continue as ${who}`)?.value;
    const choice: Fields = who === 'Deny' ? { deny: '1' } : { person };
    return callback(await this.#submit(url, { ...choice, ...extra }));
  }

  async #submit(url: string, fields: Fields): Promise<string> {
    const chosen = await fetch(url, { method: 'POST', body: form(fields), redirect: 'manual' });
    const next = new URL(chosen.headers.get('location') ?? '', url);
    const answered = await fetch(next, { redirect: 'manual' });
    return answered.headers.get('location') ?? '';
  }

  async token(fields: Fields, init: RequestInit = {}): Promise<Answer> {
    return answer(
      await fetch(this.url('token'), {
        method: 'POST',
        body: form({ ...this.credentials, ...fields }),
        ...init,
      }),
    );
  }

  get credentials() {
    const { clientID, clientSecret } = this.provider;
    return { client_id: clientID, client_secret: clientSecret };
  }

  async exchange(code: string | undefined, changes: Fields = {}): Promise<Answer> {
    return this.token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      code_verifier: VERIFIER,
      ...changes,
    });
  }

  async refresh(token: unknown): Promise<Answer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: String(token) });
  }

  /** Signs a person in and redeems the code; returns the token response. */
  async login(who?: string, changes: Fields = {}): Promise<Json> {
    const { code } = await this.signIn(who, changes);
    return (await this.exchange(code)).json;
  }

  profileURL(tokens: Json): string {
    const { origin } = this.provider;
    if (this.name === 'salesloft') return `${origin}/v2/me.json`;
    return this.name === 'salesos' ? `${origin}/userinfo` : String(tokens['id']);
  }

  async profile(tokens: Json): Promise<Answer> {
    return get(this.profileURL(tokens), tokens['access_token']);
  }
}

export async function get(url: string, token?: unknown, init: RequestInit = {}): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (typeof token === 'string') headers.set('authorization', `Bearer ${token}`);
  return answer(await fetch(url, { redirect: 'manual', ...init, headers }));
}

/** The callback's parameters when the request is refused without a sign-in page. */
export async function refusedAt(url: string): Promise<Record<string, string>> {
  const response = await fetch(url, { redirect: 'manual' });
  return callback(response.headers.get('location') ?? '');
}

export function callback(location: string): Record<string, string> {
  if (!location.startsWith(CALLBACK)) throw new Error(`not the callback: ${location}`);
  return Object.fromEntries(new URL(location).searchParams);
}

export async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: Json = {};
  try {
    json = JSON.parse(text) as Json;
  } catch {
    // Some answers are pages or plain text.
  }
  return { status: response.status, text, json, headers: response.headers };
}

/** The submit buttons of a page, with their accessible names. */
export function buttons(html: string): { label: string; value: string }[] {
  return [...html.matchAll(/<button([^>]*)>([^<]*)<\/button>/g)].map(([, attributes, text]) => ({
    label: unescape((text ?? '').trim()),
    value: /value="([^"]*)"/.exec(attributes ?? '')?.[1] ?? '',
  }));
}

function unescape(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

export function form(fields: Fields): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

export function claimsOf(token: unknown): Json {
  return part(token, 1);
}

export function headerOf(token: unknown): Json {
  return part(token, 0);
}

function part(token: unknown, index: number): Json {
  const encoded = String(token).split('.')[index] ?? '';
  return JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Json;
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
