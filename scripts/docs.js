/**
 * Prints docs/errors.md and docs/providers.md from the code: the tables of codes, and the
 * descriptions. `--check` writes nothing and fails when a file is not what the code says.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const prettier = require('prettier');

const { HINTS } = require('../packages/crm-oauth2/dist/errors/codes');
const { salesloft } = require('passport-salesloft');
const { salesos } = require('passport-salesos');
const { salesforce } = require('passport-salesforce-oauth2');

const providers = [salesloft, salesos, salesforce];
const note = '<!-- Written by `npm run docs` from the code. -->\n\n';
const rows = (hints) =>
  Object.entries(hints)
    .map(([code, hint]) => `| \`${code}\` | ${hint.replaceAll('|', '\\|')} |`)
    .join('\n');
const table = (hints) =>
  `| \`code\` | What it means and what to do |\n| --- | --- |\n${rows(hints)}\n`;

const errors = `# Errors

${note}Every error has a \`code\`, and its remedy as \`hint\`. What a person or a browser did is Passport's
\`fail\`, with \`{ message, code, hint }\` and 401 or 403; everything else is Passport's \`error\`:

| Class | When |
| --- | --- |
| \`AuthorizationError\` | the provider answered the authorization request with an error (RFC 6749 §4.1.2.1) |
| \`TokenError\` | the token endpoint answered with an error (RFC 6749 §5.2); \`code\` is its \`error\` |
| \`InternalOAuthError\` | there was no usable answer, or one that did not pass a check |

All three are passport-oauth2's, and carry \`code\`, \`provider\`, \`stage\` (\`authorize\`, \`token\`,
\`id_token\`, \`profile\`, \`verify\`, \`refresh\`, \`client_credentials\`, \`revoke\`, \`introspect\`, \`store\`,
\`api\`), \`host\`, \`status\`, \`hint\`, \`retryAfterSeconds\`, \`refusal\` and \`cause\`, where there is one. No
code, token, verifier or secret is in any of them. A code of the provider that is not listed is passed
on as it came. Where a remedy depends on the step, it stands under \`stage.code\`: the error's \`code\` is
what follows the dot.

\`refusal\` (401 or 403) is set when a person or a browser refused: such an error reaches Passport as \`fail\`.

\`status\` is the provider's, as passport-oauth2 has it on its errors. Express answers with the \`status\`
of an error that nobody handles: a 401 of the provider's token endpoint would become your page's. An
error handler of your own decides better:

\`\`\`js
const { isOAuth2Error } = require('crm-oauth2');

app.use((error, req, res, next) => {
  if (!isOAuth2Error(error)) return next(error);
  log.error(error); // code, stage, host, hint and cause; nothing secret
  res.status(502).render('login-failed', { code: error.code });
});
\`\`\`

## Codes of every provider

${table(HINTS)}
${providers.map((provider) => `## ${provider.title}\n\n${table(provider.hints)}`).join('\n')}`;

const endpoint = (name, value) => (value ? `| ${name} | \`${value}\` |\n` : '');
const facts = (provider) => {
  const endpoints = provider.endpoints({});
  return `## ${provider.title}

| Fact | Value |
| --- | --- |
| Strategy | \`${provider.name}\` |
${endpoint('Authorization endpoint', endpoints.authorizationEndpoint)}${endpoint('Token endpoint', endpoints.tokenEndpoint)}${endpoint('UserInfo', endpoints.userInfoEndpoint)}${endpoint('Revocation endpoint', endpoints.revocationEndpoint)}${endpoint('Signing keys', endpoints.jwksUri)}${endpoint('Issuer', endpoints.issuer)}| Default scope | ${provider.scope.length > 0 ? `\`${provider.scope.join(' ')}\`` : 'none: those of the app'} |
| Token requests | ${provider.tokenRequestFormat === 'json' ? 'JSON' : 'form'}, credentials in the body |
| \`scope\` in token requests | ${provider.scopeInTokenRequests ? 'sent when given' : 'never: the provider refuses it'} |
| ID Token | ${provider.idToken} |
| Own options | ${Object.keys(provider.options)
    .map((name) => `\`${name}\``)
    .join(', ')} |
| Extras of \`authenticate\` | ${
    Object.keys(provider.authorizationParameters)
      .map((name) => `\`${name}\``)
      .join(', ') || 'none'
  } |
`;
};
const facing = `# Providers

${note}What the strategies know of each provider. Sources and the month of checking stand beside each fact in
its \`provider.ts\`.

${providers.map(facts).join('\n')}`;

async function main() {
  const check = process.argv.includes('--check');
  const options = await prettier.resolveConfig(__filename);
  for (const [name, content] of [
    ['errors.md', errors],
    ['providers.md', facing],
  ]) {
    const file = join(__dirname, '..', 'docs', name);
    const text = await prettier.format(content, { ...options, parser: 'markdown' });
    if (!check) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      console.error(`docs/${name} is not what the code says. Run: npm run docs`);
      process.exitCode = 1;
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
