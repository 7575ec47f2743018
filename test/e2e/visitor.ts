/** A person at the example application without a browser: follows redirects by hand, and reads the last page. */
import type { Example } from './example';

export type Provider = 'salesloft' | 'salesos' | 'salesforce';

/** A page of the application, as read. */
export interface Shown {
  status: number;
  /** Where a redirect leads, with status 302 or 303. */
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
  readonly #cookies = new Map<string, string>();
  /** The address at which the last login came back. */
  callback = '';

  /** @param headers sent with every request to the application */
  constructor(
    readonly example: Pick<Example, 'baseURL'>,
    readonly headers: Record<string, string> = {},
  ) {}

  get cookie(): string {
    return [...this.#cookies].map((pair) => pair.join('=')).join('; ');
  }

  /**
   * @param who a person of the emulator, or `Deny`
   * @param query of the login link
   */
  async logIn(
    provider: Provider,
    who = 'Suri',
    query: Record<string, string> = {},
  ): Promise<Shown> {
    const begun = await this.visit(`/auth/${provider}?${new URLSearchParams(query).toString()}`);
    return await this.signIn(begun.location ?? '', who);
  }

  /** Follows an authorization request that was begun, and comes back. */
  async signIn(authorization: string, who: string): Promise<Shown> {
    const signIn = await next(await fetch(authorization, { redirect: 'manual' }), authorization);
    const page = await (await fetch(signIn)).text();
    const person = new RegExp(`value="(\\d+)"[^>]*>\\s*Continue as ${who}`).exec(page)?.[1];
    const body = new URLSearchParams(person === undefined ? { deny: '1' } : { person });
    const chosen = await next(
      await fetch(signIn, { method: 'POST', body, redirect: 'manual' }),
      signIn,
    );
    this.callback = await next(await fetch(chosen, { redirect: 'manual' }), chosen);
    const referer = `${new URL(signIn).origin}/`;
    return shown(await this.#ask(this.callback, { referer }));
  }

  async visit(path: string): Promise<Shown> {
    return shown(await this.#ask(this.example.baseURL + path));
  }

  /** Posts a form of the application. */
  async post(path: string, fields?: Record<string, string>): Promise<Shown> {
    const { baseURL } = this.example;
    const body = fields && new URLSearchParams(fields);
    return shown(await this.#ask(baseURL + path, { origin: baseURL }, 'POST', body));
  }

  /** Links a CRM to the account, by the form of the page of connections. */
  async connect(
    provider: Provider,
    who = 'Suri',
    fields: Record<string, string> = {},
  ): Promise<Shown> {
    const { location } = await this.post(`/connections/${provider}`, fields);
    return await this.signIn(location ?? '', who);
  }

  async #ask(
    url: string,
    headers: Record<string, string> = {},
    method = 'GET',
    body?: URLSearchParams,
  ): Promise<Response> {
    const { cookie } = this;
    const response = await fetch(url, {
      ...(method === 'POST' && { method, body }),
      redirect: 'manual',
      headers: { ...this.headers, ...headers, ...(cookie && { cookie }) },
    });
    for (const set of response.headers.getSetCookie()) {
      const [name = '', value = ''] = set.split(';')[0]?.split('=', 2) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
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
  const actions = all(/<a\s+class="(button[^"]*)"[^>]*>([^<]*)<\/a\s*>/g);
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
