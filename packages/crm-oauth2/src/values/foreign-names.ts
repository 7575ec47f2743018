/** The names that other libraries have for our options: for the error of an unknown option, and for docs/migrating.md. */

/** Names that mean the same elsewhere. */
export interface ForeignName {
  names: readonly string[];
  /** Our options of that meaning; the first one that is known where the name was used. */
  ours?: readonly string[];
  /** How it differs, or the remedy where no option of ours has that meaning. */
  note?: string;
}

export const FOREIGN_NAMES: readonly ForeignName[] = [
  { names: ['client_id', 'consumerKey', 'appId'], ours: ['clientID'] },
  { names: ['client_secret', 'consumerSecret', 'appSecret'], ours: ['clientSecret'] },
  {
    names: ['redirect_uri', 'redirectUrl', 'redirect_uris', 'callback', 'callback_uri'],
    ours: ['callbackURL', 'redirectUri'],
  },
  {
    names: ['domain', 'issuer', 'issuerBaseURL', 'wellKnown', 'server', 'site', 'accountsUrl'],
    ours: ['issuer', 'loginURL', 'authorizationURL'],
    note: 'a whole URL, with https://',
  },
  {
    names: ['base_url', 'login_url', 'loginServer'],
    ours: ['loginURL', 'issuer', 'authorizationURL'],
    note: "the provider's address; the address of the application goes into callbackURL",
  },
  {
    names: ['environment', 'sandbox', 'isSandbox'],
    ours: ['loginURL', 'issuer', 'authorizationURL'],
    note: 'the address at which people of that environment sign in',
  },
  {
    names: ['instanceUrl'],
    ours: ['loginURL'],
    note: "the address at which people sign in; the organization's own comes with the tokens",
  },
  {
    names: ['authorizeHost', 'authorizePath', 'authorization_endpoint', 'authzServiceUrl'],
    ours: ['authorizationURL'],
    note: 'a whole URL',
  },
  {
    names: ['tokenHost', 'tokenPath', 'token_endpoint', 'tokenServiceUrl', 'accessTokenURL'],
    ours: ['tokenURL'],
    note: 'a whole URL',
  },
  {
    names: ['userinfo_endpoint', 'userProfileURL', 'profileURL', 'userInfoURL'],
    ours: ['userInfoURL', 'profileURL'],
  },
  { names: ['jwks_uri', 'jwks_url'], ours: ['jwksURL'] },
  {
    names: ['authorization', 'authorizationParams', 'authorizationParameters', 'params'],
    note: 'pass extras such as prompt or loginHint to authenticate(); override authorizationParams() for any other parameter',
  },
  {
    names: ['auth', 'client', 'config', 'credentials', 'client_options'],
    note: 'the options stand side by side here: clientID, clientSecret and the rest',
  },
  {
    names: ['checks', 'usePKCE', 'useVerifier', 'code_challenge_method', 'code_verifier', 'nonce'],
    note: 'state, PKCE and nonce are always on; leave it out',
  },
  {
    names: ['response_type', 'response_types', 'response_mode', 'grant_type'],
    note: 'the answer is always a code in the query; leave it out',
  },
  {
    names: [
      'token_endpoint_auth_method',
      'clientAuthMethod',
      'authorizationMethod',
      'idTokenSigningAlg',
      'id_token_signed_response_alg',
    ],
    note: 'the strategy knows it of its provider; leave it out',
  },
  {
    names: ['secret'],
    note: 'the secret of the client is clientSecret; that of the session belongs to the session middleware, or to CookieStateStore',
  },
  { names: ['httpTimeout', 'requestTimeout'], ours: ['timeout'], note: 'milliseconds' },
  {
    names: ['httpAgent', 'httpsAgent', 'httpProxy', 'proxyUrl'],
    ours: ['agent'],
    note: 'an Agent',
  },
  { names: ['clockSkew', 'leeway'], ours: ['clockTolerance'], note: 'seconds' },
  { names: ['headers', 'httpHeaders', 'extraHeaders'], ours: ['customHeaders'] },
  { names: ['connectionName'], ours: ['connection'] },
  { names: ['org_id', 'organizationId'], ours: ['organization'] },
  {
    names: ['name'],
    note: 'passport.use(name, strategy) mounts a strategy under another name',
  },
  { names: ['username'], ours: ['loginHint'] },
];
