/**
 * The limit: strategies written by hand for this provider alone. They check everything (state, PKCE,
 * nonce, both signatures), and have neither explanations nor options.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  randomBytes,
  timingSafeEqual,
  verify as verifySignature,
} from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import http from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { Request } from 'express';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import passport from 'passport';

export interface StrategyOptions {
  origin: string;
  callbackURL: string;
  clientID: string;
  clientSecret: string;
}

export interface PlainProfile {
  id: string;
  displayName?: string | undefined;
  emails?: { value: string }[];
}

type Done = (error: unknown, user?: Express.User) => void;
export type VerifyProfile = (
  accessToken: string,
  refreshToken: string,
  profile: PlainProfile,
  done: Done,
) => void;

interface Login {
  state: string;
  verifier: string;
  nonce: string;
}

interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

interface SalesforceTokens extends Tokens {
  id: string;
  issued_at: string;
  signature: string;
}

interface Claims {
  iss?: string;
  sub: string;
  aud?: string;
  exp: number;
  iat: number;
  nonce?: string;
  at_hash?: string;
  name?: string;
  email: string;
}

/** Milliseconds of a whole callback. */
const TIMEOUT_MS = 10_000;
/** Seconds by which the clocks may differ. */
const CLOCK_TOLERANCE_SECONDS = 60;

const random = () => randomBytes(32).toString('base64url');
const sha256 = (value: string) => createHash('sha256').update(value).digest();
const isSame = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b);
const hashOf = (accessToken: string) => sha256(accessToken).subarray(0, 16).toString('base64url');
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;

/**
 * Passport makes an object for each request that has this one for its prototype: so there are no private
 * names here, which such an object lacks.
 */
abstract class Ideal extends passport.Strategy {
  override name = 'ideal';
  protected readonly url: URL;
  protected readonly keys = new Map<string, KeyObject>();
  protected abstract readonly scope: string;
  protected abstract readonly authorizePath: string;
  protected abstract readonly tokenPath: string;
  protected readonly keysPath: string = '';
  /** The request that is under way, of the object of one callback. */
  private current: http.ClientRequest | undefined;
  private readonly client: typeof http | typeof https;
  private readonly agent: http.Agent;

  constructor(
    protected readonly options: StrategyOptions,
    private readonly verify: VerifyProfile,
  ) {
    super();
    this.url = new URL(options.origin);
    this.client = this.url.protocol === 'https:' ? https : http;
    this.agent = new this.client.Agent({ keepAlive: true });
  }

  protected abstract get issuer(): string;
  protected abstract profile(tokens: Tokens, login: Login): Promise<PlainProfile>;

  protected async send(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body?: string,
  ): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      const { hostname, port } = this.url;
      const request = this.client.request(
        { agent: this.agent, hostname, port, method, path, headers },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text)),
          );
        },
      );
      this.current = request;
      request.on('error', reject);
      request.end(body);
    });
  }

  override authenticate(req: Request): void {
    const { code, state } = req.query as { code?: string; state?: string };
    if (code === undefined) this.start(req);
    else this.finish(req, code, state).catch((error) => this.error(error));
  }

  private start(req: Request): void {
    const { origin, callbackURL, clientID } = this.options;
    const login: Login = { state: random(), verifier: random(), nonce: random() };
    Object.assign(req.session, { ideal: login });
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientID,
      redirect_uri: callbackURL,
      scope: this.scope,
      state: login.state,
      nonce: login.nonce,
      code_challenge: sha256(login.verifier).toString('base64url'),
      code_challenge_method: 'S256',
    });
    this.redirect(`${origin}${this.authorizePath}?${query.toString()}`);
  }

  private async finish(req: Request, code: string, state = ''): Promise<void> {
    const session = req.session as { ideal?: Login };
    const login = session.ideal;
    delete session.ideal;
    if (login === undefined || !isSame(Buffer.from(login.state), Buffer.from(state))) {
      this.fail({ message: 'state' }, 403);
      return;
    }
    const { callbackURL, clientID, clientSecret } = this.options;
    const body = JSON.stringify({
      grant_type: 'authorization_code',
      client_id: clientID,
      client_secret: clientSecret,
      redirect_uri: callbackURL,
      code,
      code_verifier: login.verifier,
    });
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    // One deadline for all requests: an inactivity timer for each costs more.
    const late = () => this.current?.destroy(new Error('timeout'));
    const timer = setTimeout(late, TIMEOUT_MS);
    let tokens: Tokens;
    let profile: PlainProfile;
    try {
      tokens = (await this.send('POST', this.tokenPath, headers, body)) as Tokens;
      profile = await this.profile(tokens, login);
    } finally {
      clearTimeout(timer);
    }
    this.verify(tokens.access_token, tokens.refresh_token, profile, (error, user) =>
      error || !user ? this.error(error) : this.success(user),
    );
  }

  protected async bearer(path: string, { access_token: accessToken }: Tokens): Promise<unknown> {
    return await this.send('GET', path, { authorization: `Bearer ${accessToken}` });
  }

  protected async claims(
    { id_token: idToken, access_token: accessToken }: Tokens,
    { nonce }: Login,
  ): Promise<Claims> {
    const [header = '', payload = '', signature = ''] = idToken.split('.');
    const { alg, kid } = decode(header) as { alg: string; kid: string };
    if (!this.keys.has(kid)) {
      const { keys } = (await this.send('GET', this.keysPath, {})) as {
        keys: (JsonWebKey & { kid: string })[];
      };
      for (const key of keys) this.keys.set(key.kid, createPublicKey({ key, format: 'jwk' }));
    }
    const signed = Buffer.from(`${header}.${payload}`);
    const key = this.keys.get(kid);
    const isSigned =
      alg === 'RS256' &&
      key !== undefined &&
      verifySignature('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'));
    const claims = decode(payload) as Claims;
    const now = Date.now() / 1000;
    if (
      !isSigned ||
      claims.iss !== this.issuer ||
      claims.aud !== this.options.clientID ||
      claims.exp < now ||
      claims.iat > now + CLOCK_TOLERANCE_SECONDS ||
      claims.nonce !== nonce ||
      claims.at_hash !== hashOf(accessToken)
    ) {
      throw new Error('the ID Token is refused');
    }
    return claims;
  }
}

export class IdealProfile extends Ideal {
  protected readonly scope = '';
  protected readonly authorizePath = '/oauth/authorize';
  protected readonly tokenPath = '/oauth/token';
  protected override get issuer(): string {
    return this.options.origin;
  }
  protected async profile(tokens: Tokens): Promise<PlainProfile> {
    const { data } = (await this.bearer('/v2/me.json', tokens)) as {
      data: { id: number; name: string; email: string };
    };
    return { id: String(data.id), displayName: data.name, emails: [{ value: data.email }] };
  }
}

const profileOf = ({ sub, name, email }: Claims): PlainProfile => ({
  id: sub,
  displayName: name,
  emails: [{ value: email }],
});

export class IdealIdToken extends Ideal {
  protected readonly scope = 'openid profile email';
  protected readonly authorizePath = '/authorize';
  protected readonly tokenPath = '/oauth/token';
  protected override readonly keysPath = '/.well-known/jwks.json';
  protected override get issuer(): string {
    return `${this.options.origin}/`;
  }
  protected async profile(tokens: Tokens, login: Login): Promise<PlainProfile> {
    return profileOf(await this.claims(tokens, login));
  }
}

/** The same with jose, which uses WebCrypto: it shows the cost of that library. */
export class IdealJose extends IdealIdToken {
  /** In an object that all requests share: see {@link Ideal}. */
  private readonly keySet: { get?: JWTVerifyGetKey } = {};

  protected override async claims(
    { id_token: idToken, access_token: accessToken }: Tokens,
    { nonce }: Login,
  ): Promise<Claims> {
    const jose = await import('jose');
    this.keySet.get ??= jose.createLocalJWKSet(
      (await this.send('GET', this.keysPath, {})) as JSONWebKeySet,
    );
    const { payload } = await jose.jwtVerify<Claims>(idToken, this.keySet.get, {
      algorithms: ['RS256'],
      issuer: this.issuer,
      audience: this.options.clientID,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    if (payload.nonce !== nonce || payload.at_hash !== hashOf(accessToken)) {
      throw new Error('the ID Token is refused');
    }
    return payload;
  }
}

/** With every check: the signature of the token response, the ID Token, and the identity URL. */
export class IdealSalesforce extends Ideal {
  protected readonly scope: string = 'openid id profile email';
  protected readonly authorizePath = '/services/oauth2/authorize';
  protected readonly tokenPath = '/services/oauth2/token';
  protected override readonly keysPath = '/id/keys';
  protected override get issuer(): string {
    return this.options.origin;
  }

  /** The claims of a signed token response, about the same person as its `id`. */
  protected async signedClaims(tokens: SalesforceTokens, login: Login): Promise<Claims> {
    const { id, issued_at: issuedAt, signature } = tokens;
    const { origin, clientSecret } = this.options;
    const expected = createHmac('sha256', clientSecret)
      .update(id + issuedAt)
      .digest();
    if (!isSame(Buffer.from(signature, 'base64'), expected) || !id.startsWith(`${origin}/id/`)) {
      throw new Error('the signature is wrong');
    }
    const claims = await this.claims(tokens, login);
    if (claims.sub !== id) throw new Error('another person');
    return claims;
  }

  protected async profile(tokens: SalesforceTokens, login: Login): Promise<PlainProfile> {
    await this.signedClaims(tokens, login);
    const path = `${new URL(tokens.id).pathname}?format=json&version=latest`;
    const person = (await this.bearer(path, tokens)) as {
      asserted_user: unknown;
      organization_id: string;
      user_id: string;
      display_name: string;
    };
    if (person.asserted_user !== true) throw new Error('another person');
    return { id: `${person.organization_id}/${person.user_id}`, displayName: person.display_name };
  }
}

/** The same without the identity URL. */
export class IdealSalesforceIdToken extends IdealSalesforce {
  protected override readonly scope = 'openid profile email';
  protected override async profile(tokens: SalesforceTokens, login: Login): Promise<PlainProfile> {
    const claims = await this.signedClaims(tokens, login);
    return { ...profileOf(claims), id: claims.sub.split('/').slice(-2).join('/') };
  }
}
