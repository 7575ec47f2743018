/**
 * Proves that the tests notice: takes each security check out of a copy of the repository, one at a
 * time, and expects a test to fail. `npm run break -- nonce` breaks only those whose name matches.
 */
'use strict';
const { spawnSync } = require('node:child_process');
const {
  cpSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { tmpdir } = require('node:os');
const { basename, join } = require('node:path');

const root = join(__dirname, '..');
const core = 'packages/crm-oauth2/src';
const salesforce = 'packages/passport-salesforce-oauth2/src';

/** Each: what is taken out, the file, the text to find (exactly once), and what stands there then. */
const BREAKS = [
  // The callback
  [
    'state: any attempt will do',
    `${core}/passport/session-state-store.ts`,
    'pending.find((attempt) => attempt.state === state)',
    'pending[0]',
    ['return found;', 'return { ...found, state };'],
  ],
  [
    'state: taken more than once',
    `${core}/passport/session-state-store.ts`,
    'session[this.#key] = others.length > 0 ? others : undefined;',
    'void others;',
  ],
  [
    'state: of another client',
    `${core}/protocol/authorization-response.ts`,
    'if (attempt.client !== expected.client) {',
    "if (attempt.client === '') {",
  ],
  [
    'state: expiry',
    `${core}/protocol/authorization-response.ts`,
    'if (attempt.expiresAt <= Date.now())',
    'if (attempt.expiresAt <= 0)',
  ],
  [
    'repeated parameters',
    `${core}/protocol/authorization-response.ts`,
    "if (typeof value !== 'string') throw refuse('repeated_parameter', `${name} is not one string`);",
    "if (typeof value !== 'string') { response[name] = String(value); continue; }",
  ],
  [
    'iss',
    `${core}/protocol/authorization-response.ts`,
    'if (iss !== undefined && iss !== issuer) {',
    'if (iss === issuer && iss === undefined && attemptNever) {',
    ['function checkIssuer', 'const attemptNever = false as boolean;\nfunction checkIssuer'],
  ],
  [
    'error before state',
    `${core}/protocol/authorization-response.ts`,
    'const attempt = await takeAttempt(response.state, expected);',
    'refuseError(response, expected.refusals ?? []);\n  const attempt = await takeAttempt(response.state, expected);',
  ],
  // The request
  [
    'PKCE: the verifier is not sent',
    `${core}/client.ts`,
    'code_verifier: attempt.codeVerifier,',
    '',
  ],
  [
    'PKCE: the challenge is not sent',
    `${core}/protocol/authorization-request.ts`,
    "query.set('code_challenge', codeChallenge(attempt.codeVerifier));",
    'void codeChallenge;',
  ],
  [
    'protocol parameters can be overridden',
    `${core}/protocol/authorization-request.ts`,
    "query.set('state', attempt.state);",
    "if (!query.has('state')) query.set('state', attempt.state);",
  ],
  // The ID Token
  [
    'ID Token: signature',
    `${core}/protocol/id-token.ts`,
    'const verified = await loaded.jose.jwtVerify(idToken, loaded.keys, {',
    'const verified = await unverified(loaded.jose, idToken, {',
    [
      'function verificationProblem',
      "function unverified(jose: typeof import('jose'), token: string, _options: object): Promise<{ payload: JWTPayload }> {\n  return Promise.resolve({ payload: jose.decodeJwt(token) });\n}\n\nfunction verificationProblem",
    ],
  ],
  [
    'ID Token: algorithm',
    `${core}/protocol/id-token.ts`,
    "algorithms: ['RS256'],",
    "algorithms: ['RS256', 'PS256', 'RS512', 'ES256', 'HS256'],",
  ],
  ['ID Token: issuer', `${core}/protocol/id-token.ts`, 'issuer: [...expected.issuers],', ''],
  ['ID Token: audience', `${core}/protocol/id-token.ts`, 'audience: expected.clientID,', ''],
  [
    'ID Token: azp',
    `${core}/protocol/id-token.ts`,
    'if ((manyAudiences || azp !== undefined) && azp !== expected.clientID) {',
    'if (manyAudiences && azp === expected.clientID + expected.clientID) {',
  ],
  ['ID Token: iat', `${core}/protocol/id-token.ts`, 'if (iat > now + clockTolerance) {', 'if (iat < 0) {'],
  [
    'ID Token: nonce',
    `${core}/protocol/id-token.ts`,
    'if (expected.nonce !== undefined && nonce !== expected.nonce) {',
    'if (nonce === 0) {',
  ],
  [
    'ID Token: auth_time',
    `${core}/protocol/id-token.ts`,
    "if (typeof authTime !== 'number' || authTime < latest) {",
    'if (authTime === latest + 0.5) {',
  ],
  [
    'ID Token: at_hash',
    `${core}/protocol/id-token.ts`,
    'if (atHash !== undefined && atHash !== leftHalfHash(expected.accessToken)) {',
    'if (atHash === `not ${leftHalfHash(expected.accessToken)}`) {',
  ],
  [
    'ID Token: an organization that cannot be checked',
    `${core}/client.ts`,
    'throw new TypeError(`${owner}: "organization" must be a non-empty string`);',
    'return undefined;',
  ],
  [
    'ID Token: organization',
    `${core}/protocol/id-token.ts`,
    'if (expected.organization !== undefined) {',
    "if (expected.organization === '') {",
  ],
  [
    'ID Token: missing',
    `${core}/client.ts`,
    "if (isMissing && !(attempt && provider.idToken === 'required'))",
    'if (isMissing)',
  ],
  // Salesforce
  [
    'Salesforce: signature',
    `${salesforce}/signature.ts`,
    'if (received.length !== expected.length || !timingSafeEqual(received, expected)) {',
    'if (received.length > 1e6 || !timingSafeEqual(expected, expected)) {',
  ],
  [
    'Salesforce: signature missing',
    `${salesforce}/provider.ts`,
    'if (options.clientSecret !== undefined && (login || response.signature !== undefined)) {',
    'if (options.clientSecret !== undefined && login && response.signature !== undefined) {',
  ],
  [
    'Salesforce: identity URL host',
    `${salesforce}/provider.ts`,
    'if (!identity || !isTrustedHost(identity.url)) {',
    'if (!identity) {',
  ],
  [
    'Salesforce: instance host',
    `${salesforce}/provider.ts`,
    'if (instance && isTrustedHost(instance)) return instance;',
    'if (instance) return instance;',
  ],
  [
    'Salesforce: any host is trusted',
    `${salesforce}/hosts.ts`,
    'isSalesforceHost(url) ||',
    "url.hostname !== '' ||",
  ],
  [
    'Salesforce: dot of the host suffix',
    `${salesforce}/hosts.ts`,
    'url.hostname.endsWith(suffix)',
    'url.hostname.endsWith(suffix.slice(1))',
  ],
  [
    'Salesforce: asserted_user',
    `${salesforce}/profile.ts`,
    'if (json.asserted_user !== true) {',
    'if (json.asserted_user === 0) {',
  ],
  [
    'Salesforce: ids of the profile',
    `${salesforce}/profile.ts`,
    'if (!sameIds(expected, { organizationId, userId })) {',
    'if (!sameIds(expected, expected) || userId === organizationId) {',
  ],
  [
    'Salesforce: person of the ID Token',
    `${salesforce}/provider.ts`,
    'claims.sub !== response.id && !isSamePerson(claims.sub, identity)',
    "claims.sub === ''",
  ],
  // The network
  [
    'token goes to any host',
    `${core}/protocol/profile-request.ts`,
    'if (!isOwn(url) && !(encrypted && request.trusts?.(url))) {',
    'if (!isOwn(url) && !encrypted) {',
  ],
  [
    'Salesforce: a redirect to another person',
    `${salesforce}/provider.ts`,
    'trusts: (target) => isTrustedHost(target) && isSamePerson(target.href, identity),',
    'trusts: isTrustedHost,',
  ],
  [
    'redirects are followed',
    `${core}/protocol/profile-request.ts`,
    'if (!redirects || !request.trusts || !URL.canParse(location, url.href)) {',
    'if (!redirects || !URL.canParse(location, url.href)) {',
    [
      'if (!request.trusts(url)) throw untrusted(url);',
      'if (request.trusts?.(url) === false) throw untrusted(url);',
    ],
  ],
  [
    'UserInfo of another person',
    `${core}/client.ts`,
    'if (claims && isJsonObject(json) && json.sub !== undefined && json.sub !== claims.sub) {',
    "if (claims && isJsonObject(json) && json.sub === '') {",
  ],
  [
    'a profile without an id',
    `${core}/client.ts`,
    "if (typeof id === 'string' && id !== '') return profile;",
    "if (typeof id !== 'symbol') return profile;",
  ],
  [
    'an unset secret makes a public client',
    `${core}/values/options.ts`,
    "if (!Object.hasOwn(options, 'clientSecret')) return undefined;",
    'if (options.clientSecret === undefined) return undefined;',
  ],
  [
    'deadline of a request',
    `${core}/wire/http.ts`,
    'const timer = setTimeout(() => fail(() => deadline.problem()), deadline.remaining());',
    'const timer = setTimeout(() => fail(() => deadline.problem()), 2 ** 30);',
  ],
  [
    'deadline of stores and verify',
    `${core}/wire/deadline.ts`,
    'timer = setTimeout(() => reject(this.problem(code)), this.remaining());',
    'timer = setTimeout(() => reject(this.problem(code)), 2 ** 30);',
  ],
  [
    'size cap',
    `${core}/wire/http.ts`,
    'if (size > MAX_RESPONSE_BYTES) {',
    'if (size > MAX_RESPONSE_BYTES * 1e6) {',
  ],
  [
    'cut-off answers',
    `${core}/wire/http.ts`,
    'if (!answered) fail(brokenOff);',
    '',
    ['if (!whole) fail(brokenOff);', ''],
    [
      "incoming.on('error', (error) => fail(() => brokenOff(error)));",
      "incoming.on('error', () => {});",
    ],
    ['if (!incoming.complete) {', 'if (incoming.statusCode === -1) {'],
  ],
  [
    'compressed answers',
    `${core}/wire/http.ts`,
    "if (encoding !== 'identity') {",
    "if (encoding === 'never') {",
  ],
  [
    'a code is sent again',
    `${core}/wire/http.ts`,
    "if (request.method === 'GET' && problem instanceof StaleConnection) {",
    'if (problem instanceof StaleConnection) {',
  ],
  [
    'bearer only',
    `${core}/protocol/token-endpoint.ts`,
    "if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {",
    "if (tokenType === '') {",
  ],
  [
    'header injection by a token',
    `${core}/protocol/token-endpoint.ts`,
    'const TOKEN = /^[\\x21-\\x7e]+$/;',
    'const TOKEN = /^[^]+$/;',
  ],
  [
    'https only',
    `${core}/values/options.ts`,
    "if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {",
    "if (url.protocol === 'ftp:' && isLoopback(url.hostname)) {",
  ],
  // Secrets and Passport
  [
    'secrets echoed by the provider',
    `${core}/errors/oauth2-error.ts`,
    "(secret ? safe.replace(echoOf(secret), '[redacted]') : safe),",
    '(secret ? safe.replace(echoOf(secret), (echo) => echo) : safe),',
  ],
  [
    'raw bytes on a cause',
    `${core}/errors/oauth2-error.ts`,
    'const copy = new Error(quote(source.message, secrets));',
    'const copy = source;',
  ],
  [
    'verbs taken late',
    `${core}/passport/strategy.ts`,
    'success: this.success.bind(this),',
    'success: (...result) => this.success(...result),',
  ],
  [
    'missing login: another browser is not told apart',
    `${core}/passport/missing-attempt.ts`,
    "if (begunHere) return 'other_browser';",
    'void begunHere;',
  ],
  [
    'missing login: a lost cookie is not told apart',
    `${core}/passport/missing-attempt.ts`,
    "if (req.headers.cookie === undefined && empty) return 'cookie_missing';",
    "if (req.headers.cookie === '' && empty) return 'cookie_missing';",
  ],
  [
    'missing login: no refusal, but a fault',
    `${core}/passport/missing-attempt.ts`,
    'return new Problem(refined, SENTENCES[refined], { refusal: 403, hint });',
    'return new Problem(refined, SENTENCES[refined], { hint });',
  ],
  [
    'SalesOS: address and its flag from two sources',
    'packages/passport-salesos/src/profile.ts',
    'const source = text(json.email) === undefined && claims ? claims : json;',
    'const source = fields;',
  ],
  [
    'another person on refresh',
    `${core}/client.ts`,
    'if (previous.subject !== undefined && subject !== previous.subject) {',
    "if (previous.subject === '' && subject !== previous.subject) {",
  ],
  [
    'the token at another origin',
    `${core}/tokens/authorized-fetch.ts`,
    'if (url.origin === base.origin) await authorize();',
    'if (url.protocol === base.protocol) await authorize();',
  ],
  [
    'no token for a host that redirects to the API',
    `${core}/tokens/authorized-fetch.ts`,
    'if (response.status === 401 && tokens.length === 1) {',
    'if (response.status === 401 && tokens.length < 2) {',
  ],
  [
    'stored tokens under another key',
    `${core}/tokens/sealed-values.ts`,
    "if (content?.key === key && typeof content.value === 'string') return content.value;",
    "if (typeof content?.value === 'string') return content.value;",
  ],
  [
    'an answer under way when the client is closed',
    `${core}/wire/connections.ts`,
    'this.agent.maxFreeSockets = 0;',
    'this.agent.destroy();',
  ],
  [
    'connections opened without end',
    `${core}/wire/connections.ts`,
    'if (isThere || this.#opened.has(name) || !this.#asked.has(name)) return;',
    'if (isThere || !this.#asked.has(name)) return;',
  ],
  [
    'a lock released by somebody else',
    `${core}/tokens/redis-token-store.ts`,
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end",
    "if ARGV[1] then return redis.call('DEL', KEYS[1]) end",
  ],
  [
    'other tabs over regenerate',
    `${core}/passport/session-state-store.ts`,
    'keepOverRegeneration(req, session);',
    'void keepOverRegeneration;',
  ],
  // Stored tokens
  [
    'tokens: two callers refresh at once',
    `${core}/tokens/user-tokens.ts`,
    'let renewal = renewing.get(this.#key);',
    "let renewal = renewing.get('');",
  ],
  [
    'tokens: two processes refresh at once',
    `${core}/tokens/user-tokens.ts`,
    'const unlock = await this.#ask(() => this.#store.lock(this.#key, this.#lockFor));',
    'const unlock = (await this.#ask(() => this.#store.lock(this.#key, this.#lockFor))) ?? (() => Promise.resolve());',
  ],
  [
    'tokens: handed out before they are stored',
    `${core}/tokens/user-tokens.ts`,
    'return await this.#ask(() => saved);',
    'return { record, version: replaced.version };',
  ],
  [
    'tokens: a lock that ends before the answer',
    `${core}/tokens/user-tokens.ts`,
    'if (lock.end.remaining() < this.#client.timeout) {',
    'if (lock.end.remaining() < 0) {',
  ],
  [
    'tokens: a refresh of unknown fate gives its lock back',
    `${core}/tokens/user-tokens.ts`,
    'if (!lock.isNeeded) await this.#ask(unlock).catch(() => undefined);',
    'await this.#ask(unlock).catch(() => undefined);',
  ],
  [
    'tokens: a refresh of unknown fate is repeated',
    `${core}/tokens/user-tokens.ts`,
    'if (isInDoubt(record) && isAlive(record, rejected)) {',
    "if (isInDoubt(record) && rejected === '') {",
  ],
  [
    'tokens: whatever fails has left the refresh token unused',
    `${core}/tokens/user-tokens.ts`,
    'return refused || UNUSED.includes(error.code);',
    "return refused || error.code !== '';",
  ],
  [
    'tokens: an outage is a refusal',
    `${core}/tokens/user-tokens.ts`,
    'const refused = error instanceof TokenError && (error.status ?? 0) < 500;',
    'const refused = error instanceof TokenError && (error.status ?? 0) < 600;',
  ],
  [
    'tokens: after invalid_grant, what another has stored is not seen',
    `${core}/tokens/user-tokens.ts`,
    'if (!isSame(read.record.tokens, record.tokens)) {',
    "if (read.version === '') {",
  ],
  [
    'tokens: a new pair is lost to the mark of another',
    `${core}/tokens/user-tokens.ts`,
    'if (!isSame(read.record.tokens, replaced.record.tokens)) return read;',
    'if (read.version !== version) return read;',
  ],
  [
    'tokens: a new pair is offered to the store once',
    `${core}/tokens/user-tokens.ts`,
    'if (!isPassing || limit.remaining() === 0) throw error;',
    'if (!isPassing || round === 0) throw error;',
  ],
  [
    'tokens: deleted ones are used on',
    `${core}/tokens/user-tokens.ts`,
    "const isPassing = isOAuth2Error(error) && error.code !== 'reauthorization_required';",
    "const isPassing = isOAuth2Error(error) && error.code !== '';",
  ],
  [
    'tokens: of another client',
    `${core}/tokens/user-tokens.ts`,
    '      client.clientID,\n',
    "      'client',\n",
  ],
  [
    'tokens: in the words of a store',
    `${core}/tokens/user-tokens.ts`,
    'cause: bareCause(error, secrets),',
    'cause: bareCause(error),',
  ],
  [
    'tokens: a record without an access token',
    `${core}/tokens/token-record.ts`,
    'text(json.accessToken) === undefined ||',
    '',
  ],
  [
    'tokens: a clock set back',
    `${core}/tokens/freshness.ts`,
    'return since > Date.now() + CLOCKS;',
    'return since > Date.now() * CLOCKS;',
  ],
  [
    'tokens: of another person, after a refresh',
    `${core}/client.ts`,
    'if (previous.subject !== undefined && subject !== previous.subject) {',
    "if (previous.subject === '' && subject !== previous.subject) {",
  ],
  [
    'tokens: of the app itself, asked for by each caller',
    `${core}/tokens/token-source.ts`,
    'asking ??= ask();',
    'asking = ask();',
  ],
  [
    'header injection by a key',
    `${core}/tokens/token-source.ts`,
    'if (!/^[\\x21-\\x7e]+$/.test(token)) {',
    "if (token === '') {",
  ],
  [
    'Salesforce: signature of a refresh',
    `${salesforce}/provider.ts`,
    'if (options.clientSecret !== undefined && (login || response.signature !== undefined)) {',
    'if (options.clientSecret !== undefined && login) {',
  ],
  [
    'Salesforce: any host revokes and introspects',
    `${salesforce}/provider.ts`,
    'const { origin } = instanceOf(response.instance_url, (url) => isIdentityHost(url, endpoints));',
    "const { origin } = instanceOf(response.instance_url, (url) => url.href !== '');",
  ],
];

function copyOfTheRepository() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'break-checks-')));
  const skipped = new Set(['.git', 'coverage']);
  cpSync(root, folder, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !skipped.has(basename(source)),
  });
  return folder;
}

function node(folder, ...parameters) {
  return spawnSync(process.execPath, parameters, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 64 * 1024 * 1024,
  });
}

function tests(folder) {
  const result = node(
    folder,
    'node_modules/mocha/bin/mocha.js',
    '--bail',
    '--exit',
    '--reporter',
    'json',
    '--ignore',
    'build/e2e/**',
    '--ignore',
    'build/packaging/**',
    '--ignore',
    'build/docs.test.js', // it reads the very text that is broken here
  );
  const start = result.stdout.indexOf('{\n');
  try {
    const { stats, failures } = JSON.parse(result.stdout.slice(start));
    return { passes: stats.passes, failure: failures[0]?.fullTitle };
  } catch {
    return { passes: 0, failure: undefined, crash: (result.stderr || result.stdout).slice(-2000) };
  }
}

function broken(original, name, path, replacements) {
  let text = original;
  for (const [from, to] of replacements) {
    if (text.split(from).length !== 2) throw new Error(`${name}: "${from}" is not in ${path} once`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** @throws when the text of a check is no longer in its file */
function findAll(breaks = BREAKS) {
  for (const [name, path, find, replacement, ...more] of breaks) {
    const original = readFileSync(join(root, path), 'utf8');
    broken(original, name, path, [[find, replacement], ...more]);
  }
  return breaks.length;
}

function main() {
  const pattern = new RegExp(process.argv[2] ?? '', 'i');
  const chosen = BREAKS.filter(([name]) => pattern.test(name));
  // All of them are looked for before the first minute is spent.
  findAll(chosen);
  const folder = copyOfTheRepository();
  const unnoticed = [];
  try {
    const whole = tests(folder);
    if (whole.failure !== undefined || whole.passes === 0) {
      throw new Error(`The tests fail before anything is broken: ${whole.failure ?? whole.crash}`);
    }
    for (const [name, path, find, replacement, ...more] of chosen) {
      const file = join(folder, path);
      const original = readFileSync(file, 'utf8');
      writeFileSync(file, broken(original, name, path, [[find, replacement], ...more]));
      const compiled = node(folder, 'node_modules/typescript/bin/tsc', '-b');
      node(folder, 'scripts/bundle.js');
      // Unused names are no reason: the files are written all the same.
      const errors = compiled.stdout
        .split('\n')
        .filter((line) => /error TS(?!6133|6196|6192)/.test(line));
      if (errors.length > 0) throw new Error(`${name}: does not compile\n${errors.join('\n')}`);
      const { failure, crash } = tests(folder);
      console.log(
        `${failure ? 'noticed  ' : crash ? 'crashed  ' : 'UNNOTICED'}  ${name}${failure ? `  ←  ${failure}` : ''}`,
      );
      if (!failure && !crash) unnoticed.push(name);
      writeFileSync(file, original);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    `\n${chosen.length - unnoticed.length} of ${chosen.length} broken checks were noticed.`,
  );
  process.exitCode = unnoticed.length > 0 ? 1 : 0;
}

module.exports = { findAll };
if (require.main === module) main();
