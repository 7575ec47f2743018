/** A person at the example application without a browser: follows redirects by hand, and reads the last page. */
import type { Example } from './example';

export type Provider = 'salesloft' | 'salesos' | 'salesforce';

/** A page of the application, as read. */
export interface Shown {
  status: number;
  /** Where a redirect leads, with status 302. */
  location: string | null;
  html: string;
  heading: string;
  lead: string;
  facts: Record<string, string>;
  /** The texts of the actions, in their order. */
  buttons: string[];
  /** Those of the prominent ones. */
  strong: string[];
}

export class Visitor {
  #cookie = '';

  constructor(readonly example: Example) {}

  /** @param who a person of the emulator, or `Deny` */
  async logIn(provider: Provider, who = 'Suri'): Promise<Shown> {
    const begun = await this.#ask(`${this.example.baseURL}/auth/${provider}`);
    const authorization = begun.headers.get('location') ?? '';
    const signIn = await next(await fetch(authorization, { redirect: 'manual' }), authorization);
    const page = await (await fetch(signIn)).text();
    const person = new RegExp(`value="(\\d+)"[^>]*>\\s*Continue as ${who}`).exec(page)?.[1];
    const body = new URLSearchParams(person === undefined ? { deny: '1' } : { person });
    const chosen = await next(
      await fetch(signIn, { method: 'POST', body, redirect: 'manual' }),
      signIn,
    );
    const callback = await next(await fetch(chosen, { redirect: 'manual' }), chosen);
    const referer = `${new URL(signIn).origin}/`;
    return shown(await this.#ask(callback, { referer }));
  }

  async #ask(url: string, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { ...headers, ...(this.#cookie && { cookie: this.#cookie }) },
    });
    const [cookie] = response.headers.getSetCookie();
    this.#cookie = cookie?.split(';')[0] ?? this.#cookie;
    return response;
  }
}

async function next(response: Response, base: string): Promise<string> {
  await response.arrayBuffer();
  return new URL(response.headers.get('location') ?? '', base).href;
}

async function shown(response: Response): Promise<Shown> {
  const html = await response.text();
  const all = (pattern: RegExp) => [...html.matchAll(pattern)];
  const [, heading = ''] = /<h1>([^<]*)<\/h1>/.exec(html) ?? [];
  const [, lead = ''] = /<p class="lead">([^<]*)<\/p>/.exec(html) ?? [];
  const facts = all(/<dt>([^<]*)<\/dt>\s*<dd>(.*?)<\/dd>/gs).map(([, term, value = '']) => [
    String(term),
    text(value),
  ]);
  const actions = all(/<a class="(button[^"]*)"[^>]*>([^<]*)<\/a\s*>/g);
  const textsOf = (links: typeof actions) => links.map(([, , label = '']) => text(label));
  return {
    status: response.status,
    location: response.headers.get('location'),
    html,
    heading: text(heading),
    lead: text(lead),
    facts: Object.fromEntries(facts) as Record<string, string>,
    buttons: textsOf(actions),
    strong: textsOf(actions.filter(([, name = '']) => name.includes('strong'))),
  };
}

function text(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
