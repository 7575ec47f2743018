/** A person without a browser: `fetch`, a small cookie jar, and one choice on the sign-in page. */

/** The person to choose on the sign-in page, or `deny`. */
export type Choice = string;

/** Longer than any login. */
const MAX_STEPS = 20;

export class Browser {
  /** By origin, since each port of this machine plays another site. */
  readonly #cookies = new Map<string, Map<string, string>>();

  /** One request with the cookies of its site; redirects are left to the caller. */
  async visit(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map((pair) => pair.join('=')).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = cookie.split(';');
      const [name = '', ...value] = pair.trim().split('=');
      const gone = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute));
      if (gone) jar.delete(name);
      else jar.set(name, value.join('='));
    }
    return response;
  }

  /** Follows redirects until a page is shown, or one leads to `stopAt`, which is not visited. */
  async follow(
    url: string,
    { stopAt, ...init }: RequestInit & { stopAt?: (url: string) => boolean } = {},
  ): Promise<{ url: string; response?: Response }> {
    let here = url;
    let request: RequestInit = init;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (stopAt?.(here)) return { url: here };
      const response = await this.visit(here, request);
      const location = response.headers.get('location');
      if (location === null || response.status < 300 || response.status >= 400) {
        return { url: here, response };
      }
      await response.arrayBuffer();
      here = new URL(location, here).href;
      request = {};
    }
    throw new Error(`redirected more than ${MAX_STEPS} times`);
  }

  /**
   * Answers the sign-in page the authorization request leads to.
   *
   * @returns the callback URL the provider sends the browser to; it is not visited
   */
  async signIn(authorizationUrl: string, who: Choice): Promise<string> {
    const { origin } = new URL(authorizationUrl);
    const stopAt = (url: string) => new URL(url).origin !== origin;
    const page = await this.follow(authorizationUrl, { stopAt });
    if (!page.response) return page.url;
    const html = await page.response.text();
    const back = await this.follow(page.url, {
      method: 'POST',
      body: new URLSearchParams(choose(html, who)),
      stopAt,
    });
    if (back.response) throw new Error(`no way back: ${await back.response.text()}`);
    return back.url;
  }
}

function choose(html: string, who: Choice): Record<string, string> {
  if (who === 'deny') return { deny: '1' };
  const button = [
    ...html.matchAll(/<button\s+name="person"\s+value="(\d+)"[^>]*>\s*Continue as ([^<]*?)\s*</g),
  ].find(([, , name]) => name === who);
  if (!button?.[1]) throw new Error(`the sign-in page does not offer ${who}: ${html}`);
  return { person: button[1] };
}
