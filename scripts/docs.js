/**
 * Prints docs/errors.md, docs/providers.md and a table of docs/migrating.md from the code. `--check` fails
 * when a page differs from the code.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const prettier = require('prettier');
const { ROOT, STRATEGIES, exportsOf } = require('./packages');
const { HINTS } = require('../packages/crm-oauth2/dist/errors/codes');
const { FOREIGN_NAMES } = require('../packages/crm-oauth2/dist/values/foreign-names');

const providers = STRATEGIES.map((strategy) => exportsOf(strategy).provider).toSorted((a, b) =>
  a.title.localeCompare(b.title),
);

const NOTE = '<!-- Written by `npm run docs` from the code. -->';

const codeList = (names, none) => names.map((name) => `\`${name}\``).join(', ') || none;
const rows = (entries) =>
  entries.map(([left, right]) => `| ${left} | ${right.replaceAll('|', '\\|')} |`).join('\n');
const hintTable = (hints) =>
  `| \`code\` | What it means and what to do |
| --- | --- |
${rows(Object.entries(hints).map(([code, hint]) => [`\`${code}\``, hint]))}
`;

/** Words that mean another code than their `error`, or have a remedy of their own. */
const meaningTable = (meanings) =>
  meanings.length === 0
    ? ''
    : `
These words decide before the \`error\` does; the first row that fits counts.

| \`error\` | Its words | Stages | \`code\`, or the remedy |
| --- | --- | --- | --- |
${meanings
  .map(({ error, says, stages, code, hint }) => [
    codeList([error ?? []].flat(), 'any'),
    says === undefined ? 'any' : `\`${says.source.replaceAll('|', '\\|')}\``,
    codeList(stages ?? [], 'all'),
    [code && `\`${code}\``, hint?.replaceAll('|', '\\|')].filter(Boolean).join(': '),
  ])
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n')}
`;

function errorsPage() {
  const withHints = providers.filter(({ hints }) => Object.keys(hints).length > 0);
  return `# Errors

${NOTE}

Every error of this family has a \`code\`, and its remedy as \`hint\`. \`isOAuth2Error(error)\` of \`crm-oauth2\`
recognizes them.

- A client rejects with an \`OAuth2Error\`.
- At the Passport door the same error becomes one of passport-oauth2's three classes. Passport's \`error\` passes it
  to the application:

| Class | When |
| --- | --- |
| \`AuthorizationError\` | the provider answered the authorization request with an error (RFC 6749 §4.1.2.1) |
| \`TokenError\` | the token endpoint answered with an error (RFC 6749 §5.2); \`code\` is its \`error\`, or what its words mean |
| \`InternalOAuthError\` | there was no usable answer, or one that did not pass a check |

  They have passport-oauth2's \`oauthError\` too: \`{ statusCode, data }\`, where \`data\` is the provider's error as JSON
  text, redacted; or the cause, where there was no answer.

- If the person or the browser caused the failure, Passport's \`fail\` is called with \`{ message, code, hint }\`, and
  with the status in \`refusal\`: 400, 401 or 403.

An error has these fields, those that apply: \`code\`, \`provider\`, \`stage\` (\`authorize\`, \`token\`, \`id_token\`,
\`profile\`, \`verify\`, \`refresh\`, \`client_credentials\`, \`revoke\`, \`introspect\`, \`logout\`, \`discover\`, \`store\`, \`api\`),
\`host\`, \`status\`, \`hint\`, \`retryAfterSeconds\`, \`apiCode\` and \`apiErrors\` (an API's own code, and its
entries), \`refusal\`, \`uri\`, \`reportedIn\` and \`cause\`. No field
contains a code, token, verifier or secret.

A code of the provider that no table lists is passed on as it came. Where a remedy depends on the step, the table
lists it under \`stage.code\`: the error's \`code\` is the part after the dot.

\`status\` is the status of the provider's answer, as in passport-oauth2. Express answers with the \`status\` of an
unhandled error: a 401 of the token endpoint would become the status of your page. Handle these errors yourself:

\`\`\`js
const { isOAuth2Error } = require('crm-oauth2');

app.use((error, req, res, next) => {
  if (!isOAuth2Error(error)) return next(error);
  log.error(error); // code, stage, host, hint and cause; nothing secret
  res.status(502).render('login-failed', { code: error.code });
});
\`\`\`

## Codes of every provider

${hintTable(HINTS)}
${withHints
  .map(
    ({ title, hints, meanings }) => `## ${title}\n\n${hintTable(hints)}${meaningTable(meanings)}`,
  )
  .join('\n')}`;
}

/** The facts of `provider.clientAuthentication`, in words. */
const AUTHENTICATION = {
  client_secret_post: 'credentials in the body',
  client_secret_basic: 'credentials in the `Authorization` header',
  none: 'without a secret',
};

function factsOf(provider) {
  const endpoints = provider.endpoints({});
  const format = provider.tokenRequestFormat === 'json' ? 'JSON' : 'form';
  const isSigned = provider.idToken !== 'none';
  const facts = [
    ['Strategy', `\`${provider.name}\``],
    ...[
      ['Authorization endpoint', endpoints.authorizationEndpoint],
      ['Token endpoint', endpoints.tokenEndpoint],
      ['UserInfo', endpoints.userInfoEndpoint],
      ['Revocation endpoint', endpoints.revocationEndpoint],
      ['Introspection endpoint', endpoints.introspectionEndpoint],
      ['Logout', endpoints.endSessionEndpoint],
      ['Signing keys', endpoints.jwksUri],
      ['Issuer', endpoints.issuer],
    ]
      .filter(([, url]) => url !== undefined)
      .map(([name, url]) => [name, `\`${url}\``]),
    [
      'Default scope',
      provider.scope.length > 0 ? `\`${provider.scope.join(' ')}\`` : 'none: those of the app',
    ],
    ['Scope of a refresh token', codeList(provider.offlineScopes, 'none')],
    ['Token requests', `${format}, ${AUTHENTICATION[provider.clientAuthentication]}`],
    [
      '`scope` in token requests',
      provider.scopeInTokenRequests ? 'sent when given' : 'never: the provider refuses it',
    ],
    [
      'ID Token',
      isSigned ? `${provider.idToken}, ${provider.idTokenAlgorithms.join(' or ')}` : 'none',
    ],
    ['Own options', codeList(Object.keys(provider.options), 'none')],
    ['Options that a login may choose', codeList(Object.keys(provider.environment), 'none')],
    ['Extras of `authenticate`', codeList(Object.keys(provider.authorizationParameters), 'none')],
  ];
  return `## ${provider.title}

| Fact | Value |
| --- | --- |
${rows(facts)}
`;
}

function providersPage() {
  return `# Providers

${NOTE}

The strategies know these facts about each provider. Its \`provider.ts\` gives the source of each fact, and the month in
which it was checked.

${providers.map(factsOf).join('\n')}`;
}

/** The page as it is, with the table between the two marks written anew. */
function migratingPage(page) {
  const END = '<!-- End of the table. -->';
  const [before, rest] = page.split(NOTE);
  const table = rows(
    FOREIGN_NAMES.map(({ names, ours, note }) => [
      codeList(names),
      [codeList(ours ?? [], ''), note].filter(Boolean).join(': '),
    ]),
  );
  const head = '| elsewhere | here |\n| --- | --- |';
  return [before, NOTE, `\n\n${head}\n${table}\n\n`, END, rest.split(END)[1]].join('');
}

async function main() {
  const isCheck = process.argv.includes('--check');
  const options = await prettier.resolveConfig(join(ROOT, 'docs', 'errors.md'));
  const pages = {
    'errors.md': errorsPage(),
    'providers.md': providersPage(),
    'migrating.md': migratingPage(readFileSync(join(ROOT, 'docs', 'migrating.md'), 'utf8')),
  };
  for (const [name, content] of Object.entries(pages)) {
    const file = join(ROOT, 'docs', name);
    const text = await prettier.format(content, { ...options, parser: 'markdown' });
    if (!isCheck) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      console.error(`docs/${name} is not what the code says. Run: npm run docs:pages`);
      process.exitCode = 1;
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
