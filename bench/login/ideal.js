/**
 * The limit: strategies written by hand for this provider alone. They check everything (state, PKCE,
 * nonce, both signatures), and have neither explanations nor options.
 */
'use strict';
const {
  createHash,
  createHmac,
  createPublicKey,
  randomBytes,
  timingSafeEqual,
  verify: verifySignature,
} = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { Strategy } = require('passport');

const random = () => randomBytes(32).toString('base64url');
const sha256 = (value) => createHash('sha256').update(value).digest();
const isSame = (a, b) => a.length === b.length && timingSafeEqual(a, b);

class Ideal extends Strategy {
  /** @param {{ origin: string, callbackURL: string, clientID: string, clientSecret: string }} options */
  constructor(options, verify) {
    super();
    this.name = 'ideal';
    this.options = options;
    this.verify = verify;
    this.url = new URL(options.origin);
    this.client = this.url.protocol === 'https:' ? https : http;
    this.agent = new this.client.Agent({ keepAlive: true });
    this.keys = new Map();
  }

  send(method, path, headers, body) {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.url;
      const request = this.client.request(
        { agent: this.agent, hostname, port, method, path, headers, timeout: 10_000 },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk) => (text += chunk));
          response.on('end', () =>
            response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text)),
          );
        },
      );
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error('timeout')));
      request.end(body);
    });
  }

  authenticate(req) {
    const { code, state } = req.query;
    if (code === undefined) this.start(req);
    else this.finish(req, code, state).catch((error) => this.error(error));
  }

  start(req) {
    const { origin, callbackURL, clientID } = this.options;
    const login = { state: random(), verifier: random(), nonce: random() };
    req.session.ideal = login;
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
    this.redirect(`${origin}${this.authorizePath}?${query}`);
  }

  async finish(req, code, state) {
    const login = req.session.ideal;
    delete req.session.ideal;
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
    const tokens = await this.send('POST', this.tokenPath, headers, body);
    const profile = await this.profile(tokens, login);
    this.verify(tokens.access_token, tokens.refresh_token, profile, (error, user) =>
      error ? this.error(error) : this.success(user),
    );
  }

  async bearer(path, { access_token: accessToken }) {
    return await this.send('GET', path, { authorization: `Bearer ${accessToken}` });
  }

  async claims({ id_token: idToken, access_token: accessToken }, { nonce }) {
    const [header, payload, signature] = idToken.split('.');
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    if (!this.keys.has(kid)) {
      const { keys } = await this.send('GET', this.keysPath, {});
      for (const key of keys) this.keys.set(key.kid, createPublicKey({ key, format: 'jwk' }));
    }
    const signed = Buffer.from(`${header}.${payload}`);
    const isSigned =
      alg === 'RS256' &&
      verifySignature(
        'RSA-SHA256',
        signed,
        this.keys.get(kid),
        Buffer.from(signature, 'base64url'),
      );
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const now = Date.now() / 1000;
    if (
      !isSigned ||
      claims.iss !== this.issuer ||
      claims.aud !== this.options.clientID ||
      claims.exp < now ||
      claims.iat > now + 60 ||
      claims.nonce !== nonce ||
      claims.at_hash !== sha256(accessToken).subarray(0, 16).toString('base64url')
    ) {
      throw new Error('the ID Token is refused');
    }
    return claims;
  }
}

class IdealProfile extends Ideal {
  scope = '';
  authorizePath = '/oauth/authorize';
  tokenPath = '/oauth/token';
  async profile(tokens) {
    const { data } = await this.bearer('/v2/me.json', tokens);
    return { id: String(data.id), displayName: data.name, emails: [{ value: data.email }] };
  }
}

class IdealIdToken extends Ideal {
  scope = 'openid profile email';
  authorizePath = '/authorize';
  tokenPath = '/oauth/token';
  keysPath = '/.well-known/jwks.json';
  get issuer() {
    return `${this.options.origin}/`;
  }
  async profile(tokens, login) {
    const claims = await this.claims(tokens, login);
    return { id: claims.sub, displayName: claims.name, emails: [{ value: claims.email }] };
  }
}

/** The same with jose, which uses WebCrypto: it shows the cost of that library. */
class IdealJose extends IdealIdToken {
  async claims({ id_token: idToken, access_token: accessToken }, { nonce }) {
    const jose = await import('jose');
    // In the shared map: Passport makes an object for each request, and a field would end with it.
    if (!this.keys.has('all')) {
      this.keys.set('all', jose.createLocalJWKSet(await this.send('GET', this.keysPath, {})));
    }
    const { payload } = await jose.jwtVerify(idToken, this.keys.get('all'), {
      algorithms: ['RS256'],
      issuer: this.issuer,
      audience: this.options.clientID,
      clockTolerance: 60,
    });
    if (
      payload.nonce !== nonce ||
      payload.at_hash !== sha256(accessToken).subarray(0, 16).toString('base64url')
    ) {
      throw new Error('the ID Token is refused');
    }
    return payload;
  }
}

class IdealSalesforce extends Ideal {
  scope = 'openid id profile email';
  authorizePath = '/services/oauth2/authorize';
  tokenPath = '/services/oauth2/token';
  keysPath = '/id/keys';
  get issuer() {
    return this.options.origin;
  }
  async profile(tokens, login) {
    const { id, issued_at: issuedAt, signature } = tokens;
    const { origin, clientSecret } = this.options;
    const expected = createHmac('sha256', clientSecret)
      .update(id + issuedAt)
      .digest();
    if (!isSame(Buffer.from(signature, 'base64'), expected) || !id.startsWith(`${origin}/id/`)) {
      throw new Error('the signature is wrong');
    }
    const claims = await this.claims(tokens, login);
    const person = await this.bearer(`${new URL(id).pathname}?format=json&version=latest`, tokens);
    if (person.asserted_user !== true || claims.sub !== id) throw new Error('another person');
    return { id: `${person.organization_id}/${person.user_id}`, displayName: person.display_name };
  }
}

module.exports = { IdealIdToken, IdealJose, IdealProfile, IdealSalesforce };
