/** The libraries that are compared, each set up as its own documentation says. */
'use strict';
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const PEERS = join(__dirname, '..', 'peers', 'package.json');
const peer = (name) => createRequire(PEERS)(name);
const peerModule = async (name) =>
  await import(pathToFileURL(createRequire(PEERS).resolve(name)).href);

const byProfile = (accessToken, refreshToken, profile, done) => done(null, { id: profile.id });
const byTokens = (tokens, done) => done(null, { id: tokens.claims().sub });

/** A profile strategy as most applications write it by hand. */
function meJsonStrategy() {
  const OAuth2Strategy = peer('passport-oauth2');
  return class extends OAuth2Strategy {
    constructor(options, verify) {
      super(options, verify);
      this.profileURL = options.profileURL;
      this._oauth2.useAuthorizationHeaderforGET(true);
    }

    userProfile(accessToken, done) {
      this._oauth2.get(this.profileURL, accessToken, (error, body) => {
        if (error) return done(error);
        try {
          const { data } = JSON.parse(body);
          return done(null, {
            provider: this.name,
            id: String(data.id),
            displayName: data.name,
            name: { givenName: data.first_name, familyName: data.last_name },
            emails: [{ value: data.email }],
            _raw: body,
            _json: data,
          });
        } catch (problem) {
          return done(problem);
        }
      });
    }
  };
}

async function openidClient({ origin, callbackURL, clientID, clientSecret }, withSignature) {
  const client = await peerModule('openid-client');
  const { Strategy } = await peerModule('openid-client/passport');
  const config = new client.Configuration(
    {
      issuer: `${origin}/`,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      jwks_uri: `${origin}/.well-known/jwks.json`,
      code_challenge_methods_supported: ['S256'],
    },
    clientID,
    clientSecret,
  );
  if (origin.startsWith('http:')) client.allowInsecureRequests(config);
  if (withSignature) client.enableNonRepudiationChecks(config);
  return new Strategy({ config, callbackURL, scope: 'openid profile email' }, byTokens);
}

/** The options of passport-auth0, which knows https URLs only. */
const auth0URLs = (origin) => ({
  domain: new URL(origin).host,
  expectedIssuer: `${origin}/`,
  authorizationURL: `${origin}/authorize`,
  tokenURL: `${origin}/oauth/token`,
  userInfoURL: `${origin}/userinfo`,
});

/**
 * @typedef {object} Subject
 * @property {string} title
 * @property {string} checks the checks that it makes of an answer
 * @property {'ours' | 'ideal' | 'peer' | 'floor'} kind
 * @property {string} [package]
 * @property {object} [authenticate] options of `passport.authenticate`
 * @property {(options: any) => any} [strategy]
 * @property {(options: any) => any} [middleware] in place of a Passport strategy
 */

/** @type {Record<string, Subject>} */
const SUBJECTS = {
  floor: {
    title: 'floor',
    kind: 'floor',
    checks: '–',
    strategy: ({ origin, callbackURL }) => {
      const { Strategy } = require('passport');
      const url = `${origin}/authorize?redirect_uri=${encodeURIComponent(callbackURL)}`;
      return new (class extends Strategy {
        authenticate(req) {
          const { code } = req.query;
          if (code === undefined) this.redirect(url);
          else this.success({ id: code });
        }
      })();
    },
  },
  salesloft: {
    title: '**passport-salesloft**',
    kind: 'ours',
    package: 'passport-salesloft',
    checks: 'state, PKCE',
    strategy: ({ origin, ...options }) => {
      const { Strategy } = require('passport-salesloft');
      const urls = {
        authorizationURL: `${origin}/oauth/authorize`,
        tokenURL: `${origin}/oauth/token`,
        profileURL: `${origin}/v2/me.json`,
      };
      return new Strategy({ ...options, ...urls }, byProfile);
    },
  },
  salesos: {
    title: '**passport-salesos**',
    kind: 'ours',
    package: 'passport-salesos',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: ({ origin, ...options }) => {
      const { Strategy } = require('passport-salesos');
      return new Strategy({ ...options, issuer: `${origin}/` }, byProfile);
    },
  },
  salesforce: {
    title: '**passport-salesforce-oauth2**',
    kind: 'ours',
    package: 'passport-salesforce-oauth2',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: ({ origin, ...options }) => {
      const { Strategy } = require('passport-salesforce-oauth2');
      return new Strategy({ ...options, loginURL: origin }, byProfile);
    },
  },
  idealProfile: {
    title: 'by hand, `me.json`',
    kind: 'ideal',
    checks: 'state, PKCE',
    strategy: (options) => new (require('./ideal').IdealProfile)(options, byProfile),
  },
  idealIdToken: {
    title: 'by hand, ID Token',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: (options) => new (require('./ideal').IdealIdToken)(options, byProfile),
  },
  idealJose: {
    title: '… verified by jose',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: (options) => new (require('./ideal').IdealJose)(options, byProfile),
  },
  idealSalesforce: {
    title: 'by hand, Salesforce',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: (options) => new (require('./ideal').IdealSalesforce)(options, byProfile),
  },
  oauth2: {
    title: 'passport-oauth2 + `me.json`',
    kind: 'peer',
    package: 'passport-oauth2',
    checks: 'nothing by default',
    strategy: ({ origin, ...options }) => {
      const urls = {
        authorizationURL: `${origin}/oauth/authorize`,
        tokenURL: `${origin}/oauth/token`,
        profileURL: `${origin}/v2/me.json`,
      };
      return new (meJsonStrategy())({ ...options, ...urls }, byProfile);
    },
  },
  oauth2Checked: {
    title: '… with `state` and `pkce`',
    kind: 'peer',
    package: 'passport-oauth2',
    checks: 'state, PKCE',
    strategy: (options) => SUBJECTS.oauth2.strategy({ ...options, state: true, pkce: 'S256' }),
  },
  google: {
    title: 'passport-google-oauth20',
    kind: 'peer',
    package: 'passport-google-oauth20',
    checks: 'nothing by default',
    strategy: ({ origin, ...options }) => {
      const { Strategy } = peer('passport-google-oauth20');
      const urls = {
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/oauth/token`,
        userProfileURL: `${origin}/userinfo`,
      };
      return new Strategy({ ...options, ...urls, scope: ['profile', 'email'] }, byProfile);
    },
  },
  auth0: {
    title: 'passport-auth0',
    kind: 'peer',
    package: 'passport-auth0',
    checks: 'state, nonce, claims, no signature',
    authenticate: { scope: 'openid profile email' },
    strategy: ({ origin, ...options }) =>
      new (peer('passport-auth0'))(
        { ...options, ...auth0URLs(origin) },
        (accessToken, refreshToken, params, profile, done) => done(null, { id: profile.id }),
      ),
  },
  openidconnect: {
    title: 'passport-openidconnect',
    kind: 'peer',
    package: 'passport-openidconnect',
    checks: 'state, claims, no signature',
    strategy: ({ origin, ...options }) => {
      const urls = {
        issuer: `${origin}/`,
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/oauth/token`,
        userInfoURL: `${origin}/userinfo`,
      };
      return new (peer('passport-openidconnect'))(
        { ...options, ...urls, scope: ['profile', 'email'] },
        (issuer, profile, done) => done(null, { id: profile.id }),
      );
    },
  },
  forcedotcom: {
    title: 'passport-forcedotcom',
    kind: 'peer',
    package: 'passport-forcedotcom',
    checks: 'nothing',
    strategy: ({ origin, ...options }) => {
      const { Strategy } = peer('passport-forcedotcom');
      const urls = {
        authorizationURL: `${origin}/services/oauth2/authorize`,
        tokenURL: `${origin}/services/oauth2/token`,
      };
      return new Strategy({ ...options, ...urls }, byProfile);
    },
  },
  openidClient: {
    title: 'openid-client strategy',
    kind: 'peer',
    package: 'openid-client',
    checks: 'PKCE, claims',
    strategy: async (options) => await openidClient(options, false),
  },
  openidClientSigned: {
    title: '… with signature checks',
    kind: 'peer',
    package: 'openid-client',
    checks: 'PKCE, claims, signature',
    strategy: async (options) => await openidClient(options, true),
  },
  expressOpenid: {
    title: 'express-openid-connect',
    kind: 'peer',
    package: 'express-openid-connect',
    checks: 'state, PKCE, nonce, claims, signature',
    middleware: ({ origin, baseURL, clientID, clientSecret }) =>
      peer('express-openid-connect').auth({
        issuerBaseURL: origin,
        baseURL,
        clientID,
        clientSecret,
        secret: 'a secret of at least thirty-two characters',
        authRequired: false,
        authorizationParams: { response_type: 'code', scope: 'openid profile email' },
      }),
  },
};

module.exports = { PEERS, SUBJECTS, peer };
