import { expect } from 'chai';
import { createHash, hkdfSync } from 'node:crypto';
import { CookieStateStore } from '../../dist/passport';
import type { PassportRequest, PassportResponse } from '../../dist/passport';
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
import { Seal } from '../../dist/values/seal';
import { rejection, thrown } from '../support';
import { attemptOf } from './support';

const OLD = 'an old secret of at least 32 characters';
const NEW = 'a new secret of at least thirty-two chars';

/** The key of a secret, as it has been derived from the first version on. */
function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'crm-oauth2 login attempt', 32));
}

/** A browser: the cookies it was told to keep, which it sends. */
class Browser {
  readonly cookies = new Map<string, string>();
  /** The Set-Cookie lines of the last response. */
  lines: string[] = [];

  request(): { req: PassportRequest; res: PassportResponse } {
    const headers: Record<string, string | string[] | number> = {};
    const res = {
      getHeader: (name: string) => headers[name.toLowerCase()],
      setHeader: (name: string, value: string | string[]) => {
        headers[name.toLowerCase()] = value;
        if (name.toLowerCase() === 'set-cookie') this.lines = [value].flat();
        return res;
      },
    } as PassportResponse;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return { req: { headers: { cookie: cookie || undefined }, res }, res };
  }

  /** Obeys the last response. */
  receive(): void {
    for (const line of this.lines) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.lines = [];
  }

  async begin(store: CookieStateStore, attempt: LoginAttempt): Promise<string[]> {
    await store.begin(this.request().req, attempt);
    const { lines } = this;
    this.receive();
    return lines;
  }

  async take(store: CookieStateStore, state: string): Promise<unknown> {
    const taken = await store.take(this.request().req, state);
    this.receive();
    return taken;
  }

  /** Changes what it keeps, as only an attacker would. */
  tamper(change: (value: string) => string): void {
    for (const [name, value] of this.cookies) this.cookies.set(name, change(value));
  }
}

describe('cookie state store', () => {
  const store = new CookieStateStore({ secrets: [NEW] });
  let browser: Browser;
  beforeEach(() => {
    browser = new Browser();
  });

  it('RFC 6265 §4.2.1 — ignores a name without a value', async () => {
    await browser.begin(store, attemptOf());
    const { req } = browser.request();
    const [name = ''] = browser.cookies.keys();
    expect(await store.pending({ ...req, headers: { cookie: name } })).to.deep.equal([]);
    expect(await store.take({ ...req, headers: { cookie: name } }, 'state-1')).to.equal(
      'state_unknown',
    );
    expect(browser.lines).to.deep.equal([]);
  });

  describe('secrets', () => {
    for (const secrets of [
      undefined,
      [],
      NEW,
      [''],
      ['short'],
      ['x'.repeat(31)],
      [NEW, 'short'],
      [7],
    ]) {
      it(`must be strings of at least 32 characters: ${JSON.stringify(secrets)}`, () => {
        const error: unknown = thrown(
          () => new CookieStateStore({ secrets: secrets as unknown as string[] }),
        );
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.include('option "secrets"');
        expect((error as Error).message).not.to.include(NEW);
      });
    }

    it('name their owner when they are wrong', () => {
      const error = thrown(() => new CookieStateStore({ secrets: ['short'] }));
      expect((error as Error).message).to.match(/^CookieStateStore: option "secrets"/);
    });

    it('must be there at all', () => {
      const options = undefined as unknown as ConstructorParameters<typeof CookieStateStore>[0];
      const error = thrown(() => new CookieStateStore(options));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include('option "secrets"');
    });

    it('must be strings, not something else of that length', () => {
      for (const secret of [Buffer.alloc(32), Array.from({ length: 32 }, () => 'x')]) {
        const secrets = [secret] as unknown as string[];
        expect(thrown(() => new CookieStateStore({ secrets }))).to.be.instanceOf(TypeError);
      }
    });

    it('are enough with exactly 32 characters', async () => {
      const shortest = new CookieStateStore({ secrets: ['x'.repeat(32)] });
      await browser.begin(shortest, attemptOf());
      expect(await browser.take(shortest, 'state-1')).to.include({ state: 'state-1' });
    });
  });

  it('RFC 6265bis §4.1 — sets one cookie with every protecting attribute', async () => {
    const lines = await browser.begin(store, attemptOf());
    expect(lines).to.have.lengthOf(1);
    const [pair = '', ...attributes] = (lines[0] ?? '').split('; ');
    expect(pair).to.match(/^__Host-crm-login\.[\w.-]+=[\w.-]+$/);
    expect(attributes).to.have.members([
      'Path=/',
      'Max-Age=600',
      'HttpOnly',
      'SameSite=Lax',
      'Secure',
    ]);
    expect(pair.length).to.be.below(4000);
  });

  it('leaves Secure and __Host- out for http on localhost', async () => {
    const insecure = new CookieStateStore({ secrets: [NEW], secure: false });
    const [line = ''] = await browser.begin(insecure, attemptOf());
    expect(line).to.match(/^crm-login\./);
    expect(line).not.to.match(/secure/i);
    expect(line).to.match(/; HttpOnly; SameSite=Lax$/);
    expect(await browser.take(insecure, 'state-1')).to.include({ state: 'state-1' });
  });

  it('hands an attempt out as it was, and clears its cookie', async () => {
    const attempt = attemptOf({ nonce: 'n', appState: { returnTo: '/ë' }, maxAge: 0 });
    await browser.begin(store, attempt);
    const { req } = browser.request();
    expect(await store.take(req, 'state-1')).to.deep.equal(attempt);
    expect(browser.lines).to.have.lengthOf(1);
    expect(browser.lines[0]).to.match(
      /^__Host-crm-login\.[\w.-]+=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax; Secure$/,
    );
    browser.receive();
    expect(browser.cookies.size).to.equal(0);
    expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
  });

  it('RFC 9700 §2.1.1 — shows neither verifier nor state, and never the same twice', async () => {
    const attempt = attemptOf({ nonce: 'nonce-in-clear', appState: 'app-state-in-clear' });
    const lines = [await browser.begin(store, attempt), await browser.begin(store, attempt)].flat();
    expect(lines[0]).not.to.equal(lines[1]);
    for (const line of lines) {
      const decoded = line
        .split(/[.=;]/)
        .map((part) => Buffer.from(part, 'base64url').toString('latin1'));
      const shown = [line, ...decoded].join('\n');
      for (const secret of [
        'verifier-in-clear',
        'nonce-in-clear',
        'app-state-in-clear',
        'state-1',
      ]) {
        expect(shown).not.to.include(secret);
      }
    }
  });

  it('RFC 6265bis §5.6 — holds about 2 KB of application state', async () => {
    const attempt = attemptOf({
      nonce: 'n'.repeat(32),
      redirectUri: `https://app.test/${'p'.repeat(100)}`,
      appState: { returnTo: 'x'.repeat(2048) },
    });
    const [line = ''] = await browser.begin(store, attempt);
    expect(line.length).to.be.at.most(4096);
    expect(await browser.take(store, 'state-1')).to.deep.equal(attempt);
  });

  it('RFC 6265bis §5.6 — sets no cookie that a browser would drop: state_too_large', async () => {
    for (let i = 0; i < 10; i += 1) {
      await browser.begin(store, attemptOf({ state: `earlier-${i}`, expiresAt: Date.now() + i }));
    }
    // Where the limit lies, from either side.
    let fits = 2048;
    let tooLarge = 4096;
    while (tooLarge - fits > 1) {
      const length = Math.floor((fits + tooLarge) / 2);
      const { req } = new Browser().request();
      const begun = store.begin(req, attemptOf({ appState: 'x'.repeat(length) }));
      if (
        await begun.then(
          () => true,
          () => false,
        )
      )
        fits = length;
      else tooLarge = length;
    }
    const [line = ''] = await new Browser().begin(store, attemptOf({ appState: 'x'.repeat(fits) }));
    expect(line.length).to.be.within(3000, 4096);
    // One character of state is one or two of the value, and this length is among them.
    expect(/=([^;]*)/.exec(line)?.[1]).to.have.lengthOf(3800);
    const { req } = browser.request();
    for (const length of [tooLarge, 100_000]) {
      const error = await rejection(store.begin(req, attemptOf({ appState: 'x'.repeat(length) })));
      expect(error.code).to.equal('state_too_large');
      expect(error.message).to.equal('the state of the application does not fit in a cookie');
      expect(String(error.stack)).not.to.include('xxx');
    }
    // Nor is an earlier login given up for it.
    expect(browser.lines).to.deep.equal([]);
    expect(browser.cookies.size).to.equal(10);
  });

  describe('refuses', () => {
    const cases: [string, (browser: Browser) => void][] = [
      ['a changed tag', (b) => b.tamper((value) => value.replace(/.{4}$/, 'AAAA'))],
      [
        'a changed text',
        (b) =>
          b.tamper((value) => {
            const parts = value.split('.');
            parts[3] =
              `A${parts[3]?.slice(1)}` === parts[3]
                ? `B${parts[3].slice(1)}`
                : `A${parts[3]?.slice(1)}`;
            return parts.join('.');
          }),
      ],
      ['a cut value', (b) => b.tamper((value) => value.slice(0, 40))],
      ['no value', (b) => b.tamper(() => '')],
      [
        'plain JSON',
        (b) => b.tamper(() => JSON.stringify({ attempt: attemptOf() }).replaceAll(/[;,]/g, '')),
      ],
      [
        'a token without encryption',
        (b) =>
          b.tamper(() => {
            const part = (value: unknown) =>
              Buffer.from(JSON.stringify(value)).toString('base64url');
            return `${part({ alg: 'none' })}.${part({ attempt: attemptOf() })}.`;
          }),
      ],
    ];
    for (const [title, tamper] of cases) {
      it(`${title}: state_unknown`, async () => {
        await browser.begin(store, attemptOf());
        tamper(browser);
        expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
        expect(browser.cookies.size).to.equal(0);
      });
    }

    it('the cookie of another secret', async () => {
      await browser.begin(new CookieStateStore({ secrets: [OLD] }), attemptOf());
      expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
    });

    it('an attempt under the name of another state, by what it says itself', async () => {
      await browser.begin(store, attemptOf({ state: 'state-2' }));
      await browser.begin(store, attemptOf({ state: 'state-1' }));
      const [two, one] = [...browser.cookies];
      if (!one || !two) throw new Error('two cookies are expected');
      browser.cookies.set(one[0], two[1]);
      // The check of the response compares it with the state of the callback.
      expect(await browser.take(store, 'state-1')).to.include({ state: 'state-2' });
    });

    it('an expired one, by what it says itself', async () => {
      const attempt = attemptOf({ expiresAt: Date.now() - 1 });
      await browser.begin(store, attempt);
      // The check of the response compares it with the clock.
      expect(await browser.take(store, 'state-1')).to.deep.equal(attempt);
      expect(browser.cookies.size).to.equal(0);
    });

    it('an unknown state, and clears nothing', async () => {
      await browser.begin(store, attemptOf());
      for (const state of ['state-2', '__proto__', 'constructor']) {
        expect(await browser.take(store, state)).to.equal('state_unknown');
      }
      expect(browser.cookies.size).to.equal(1);
    });

    it('an unknown state, also where there is no response to clear a cookie on', async () => {
      await browser.begin(store, attemptOf());
      const { req, res } = browser.request();
      expect(await store.take({ headers: req.headers }, 'state-2')).to.equal('state_unknown');
      expect(await store.take(req, 'state-2')).to.equal('state_unknown');
      expect(res.getHeader('set-cookie')).to.equal(undefined);
    });

    for (const header of [
      { alg: 'dir', enc: 'A128CBC-HS256' },
      { alg: 'A256KW', enc: 'A256GCM' },
      { alg: 'A256GCMKW', enc: 'A256GCM' },
    ]) {
      it(`RFC 8725 §3.1 — ${header.alg} with ${header.enc}, although the key could`, async () => {
        const { CompactEncrypt } = await import('jose');
        await browser.begin(store, attemptOf());
        const value = await new CompactEncrypt(
          Buffer.from(JSON.stringify({ attempt: attemptOf() })),
        )
          .setProtectedHeader(header)
          .encrypt(keyOf(NEW));
        browser.tamper(() => value);
        expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
      });
    }

    for (const content of ['{}', '{"other":{}}', '[{}]', '7', 'null', 'text']) {
      it(`a sealed ${content}, which has no attempt`, async () => {
        const { CompactEncrypt } = await import('jose');
        await browser.begin(store, attemptOf());
        const value = await new CompactEncrypt(Buffer.from(content))
          .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
          .encrypt(keyOf(NEW));
        browser.tamper(() => value);
        expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
      });
    }

    it('an attempt that was sealed for another purpose with the same secret', async () => {
      await browser.begin(store, attemptOf());
      const value = await new Seal('Tokens', [NEW], 'tokens').seal({ attempt: {} });
      browser.tamper(() => value);
      expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
    });

    it('a request without cookies', async () => {
      expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
    });
  });

  describe('from one version to the next', () => {
    it('RFC 5869 — derives the same key from a secret, and writes the same form', async () => {
      const { compactDecrypt } = await import('jose');
      const attempt = attemptOf();
      await browser.begin(store, attempt);
      const [value = ''] = browser.cookies.values();
      const { plaintext, protectedHeader } = await compactDecrypt(value, keyOf(NEW));
      expect(protectedHeader).to.deep.equal({ alg: 'dir', enc: 'A256GCM' });
      expect(JSON.parse(Buffer.from(plaintext).toString('utf8'))).to.deep.equal({ attempt });
    });

    it('names a cookie by its expiry and by a hash of its state', async () => {
      const attempt = attemptOf();
      await browser.begin(store, attempt);
      const hash = createHash('sha256').update('state-1').digest('base64url').slice(0, 22);
      expect([...browser.cookies.keys()]).to.deep.equal([
        `__Host-crm-login.${attempt.expiresAt.toString(36)}.${hash}`,
      ]);
    });
  });

  describe('key rotation', () => {
    it('a new secret in front still reads what the old one wrote', async () => {
      await browser.begin(new CookieStateStore({ secrets: [OLD] }), attemptOf());
      const rotating = new CookieStateStore({ secrets: [NEW, OLD] });
      expect(await browser.take(rotating, 'state-1')).to.include({ state: 'state-1' });
    });

    it('the first secret is the one that writes', async () => {
      const rotating = new CookieStateStore({ secrets: [NEW, OLD] });
      await browser.begin(rotating, attemptOf());
      expect(await browser.take(new CookieStateStore({ secrets: [OLD] }), 'state-1')).to.equal(
        'state_unknown',
      );
      await browser.begin(rotating, attemptOf());
      expect(await browser.take(new CookieStateStore({ secrets: [NEW] }), 'state-1')).to.include({
        state: 'state-1',
      });
    });
  });

  it('keeps at most ten, and clears the oldest', async () => {
    const soon = Date.now() + 500_000;
    for (let i = 0; i < 12; i += 1) {
      await browser.begin(store, attemptOf({ state: `state-${i}`, expiresAt: soon + i }));
      expect(browser.cookies.size).to.be.at.most(10);
    }
    expect(browser.cookies.size).to.equal(10);
    expect(await browser.take(store, 'state-1')).to.equal('state_unknown');
    expect(await browser.take(store, 'state-2')).to.include({ state: 'state-2' });
    expect(await browser.take(store, 'state-11')).to.include({ state: 'state-11' });
  });

  it('clears the oldest, in whatever order the browser sends them', async () => {
    const soon = Date.now() + 500_000;
    for (let i = 0; i < 10; i += 1) {
      await browser.begin(store, attemptOf({ state: `state-${i}`, expiresAt: soon + i }));
    }
    const reversed = [...browser.cookies].toReversed();
    browser.cookies.clear();
    for (const [name, value] of reversed) browser.cookies.set(name, value);
    await browser.begin(store, attemptOf({ state: 'state-10', expiresAt: soon + 10 }));
    expect(browser.cookies.size).to.equal(10);
    expect(await browser.take(store, 'state-0')).to.equal('state_unknown');
    expect(await browser.take(store, 'state-9')).to.include({ state: 'state-9' });
  });

  it('RFC 6585 §5 — keeps at most 8 KB, so that a long link locks no browser out', async () => {
    const soon = Date.now() + 500_000;
    for (let i = 0; i < 6; i += 1) {
      const appState = { returnTo: 'x'.repeat(2000) };
      await browser.begin(store, attemptOf({ state: `state-${i}`, expiresAt: soon + i, appState }));
      const { headers } = browser.request().req;
      expect((headers.cookie ?? '').length).to.be.below(8300);
    }
    expect(browser.cookies.size).to.equal(2);
    expect(await browser.take(store, 'state-3')).to.equal('state_unknown');
    expect(await browser.take(store, 'state-4')).to.include({ state: 'state-4' });
    expect(await browser.take(store, 'state-5')).to.include({ state: 'state-5' });
  });

  it('RFC 6585 §5 — counts names and values, up to exactly 8 KB', async () => {
    const probe = new Browser();
    const [line = ''] = await probe.begin(store, attemptOf());
    const own = line.split(';')[0]!.replace('=', '').length;
    const name = (at: string) => `__Host-crm-login.${at}.${'n'.repeat(22)}`;
    const old = name('aaaaaaaa');
    for (const [spare, cleared] of [
      [0, []],
      [-1, [old]],
    ] as const) {
      const other = new Browser();
      other.cookies.set(old, 'v'.repeat(8192 - own - old.length - spare));
      const lines = await other.begin(store, attemptOf());
      const gone = lines.filter((text) => text.includes('Max-Age=0'));
      expect(gone.map((text) => text.split('=')[0])).to.deep.equal(cleared);
      // Without a value, it takes no more room than its name.
      for (const text of gone) expect(text).to.match(/^[^=]+=;/);
    }
  });

  it('shows the attempts that it can open, and no others', async () => {
    const attempt = attemptOf();
    await browser.begin(store, attempt);
    browser.cookies.set('__Host-crm-login.zzzz.other', 'not-sealed');
    const sealed = await new Seal('test', [NEW], 'login attempt').seal({ another: 'thing' });
    browser.cookies.set('__Host-crm-login.zzzz.empty', sealed);
    expect(await store.pending(browser.request().req)).to.deep.equal([attempt]);
  });

  it('clears no foreign cookie, however many there are', async () => {
    for (let i = 0; i < 12; i += 1) browser.cookies.set(`A${i}`, 'x');
    expect(await browser.begin(store, attemptOf())).to.have.lengthOf(1);
    expect(browser.cookies.size).to.equal(13);
  });

  it('RFC 6265 §5.4 — reads a header with other spaces, and with a name alone', async () => {
    await browser.begin(store, attemptOf());
    const [[name, value] = ['', '']] = browser.cookies;
    for (const cookie of [`flag; ${name} = ${value} ;a=b`, `a=b;${name}=${value};flag`]) {
      const { req } = browser.request();
      req.headers.cookie = cookie;
      expect(await store.take(req, 'state-1')).to.include({ state: 'state-1' });
    }
  });

  it('leaves foreign cookies alone, in both directions', async () => {
    browser.cookies.set('sid', 'a=b');
    browser.cookies.set('flag', '');
    const { req, res } = browser.request();
    res.setHeader('Set-Cookie', 'theme=dark');
    await store.begin(req, attemptOf());
    expect(browser.lines).to.have.lengthOf(2);
    expect(browser.lines[0]).to.equal('theme=dark');
    browser.receive();
    expect(await browser.take(store, 'state-1')).to.include({ state: 'state-1' });
    expect(browser.cookies.get('sid')).to.equal('a=b');
  });

  it('keeps a list of other cookies too', async () => {
    const { req, res } = browser.request();
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    await store.begin(req, attemptOf());
    expect(browser.lines.slice(0, 2)).to.deep.equal(['a=1', 'b=2']);
    expect(browser.lines).to.have.lengthOf(3);
  });

  it('takes the response that it is given, where the framework sets none', async () => {
    const { req, res } = browser.request();
    await store.begin({ headers: req.headers }, attemptOf(), res);
    expect(browser.lines).to.have.lengthOf(1);
  });

  it('needs a response: response_missing', async () => {
    const error = await rejection(store.begin({ headers: {} }, attemptOf()));
    expect(error.code).to.equal('response_missing');
    expect(error.message).to.equal('there is no response to set the cookie on');
    await browser.begin(store, attemptOf());
    const { req } = browser.request();
    expect(
      (await rejection(store.take({ headers: req.headers, res: {} }, 'state-1'))).code,
    ).to.equal('response_missing');
  });
});
