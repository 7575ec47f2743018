/** The list of everything that the emulator refuses; the README and the tests build on it. */
import { SALESFORCE_REFUSALS } from './dialects/salesforce-refusals.js';
import { SALESLOFT_REFUSALS } from './dialects/salesloft-refusals.js';
import { SALESOS_REFUSALS } from './dialects/salesos-refusals.js';
import { type Reason, wordsOf } from './reasons.js';
import type { ProviderName } from './types.js';

export interface RefusalEntry {
  /** The specification or the provider that demands the refusal. */
  section: string;
  /** A sentence without its subject, the emulator; also the title of the test that proves it. */
  behaviour: string;
  /** The answer of each provider to which the entry applies: where it is shown, and the error. */
  answers: Partial<Record<ProviderName, string>>;
}

const TABLES = Object.entries({
  salesloft: SALESLOFT_REFUSALS,
  salesos: SALESOS_REFUSALS,
  salesforce: SALESFORCE_REFUSALS,
});

/** Section, behaviour, and the reason in the providers' own tables, or the answers where those do not tell. */
const ROWS = `
RFC 6749 §4.1.2.1 | shows a page, and redirects nowhere, when the client is unknown | authorize.client
RFC 6749 §3.1.2.4 | shows a page, and redirects nowhere, when the redirect URI is not registered | authorize.redirect-uri
RFC 6749 §3.1 | refuses a repeated parameter of the authorization request | authorize.repeated
RFC 6749 §3.1.1 | refuses a response type other than code | authorize.response-type
RFC 6749 §3.3 | refuses an unknown scope (Salesloft, Salesforce) | authorize.scope
Auth0 | refuses an unknown audience | authorize.audience
Auth0 | refuses an unknown organization, and a person who is not a member (SalesOS) | salesos: callback: invalid_request, parameter organization is invalid; access_denied, user … is not part of the … organization
Auth0 | refuses an invitation of another person, and one that was used (SalesOS) | salesos: callback: access_denied, the specified account is not allowed to accept the current invitation; invalid_request
RP-Initiated Logout §3 | refuses to go to a URI that is not allowed, after a logout (SalesOS) | salesos: page: invalid_request
RFC 7636 §4.4.1 | refuses a request without a code challenge where one is required | authorize.no-challenge
RFC 7636 §4.3 | refuses the plain code challenge method | authorize.challenge-method
OIDC Core §3.1.2.6 | refuses prompt=none, because it asks at every request who signs in | authorize.login
Salesforce | refuses immediate=true | authorize.immediate
RFC 6749 §4.1.2.1 | says access_denied when the person denies | authorize.denied
Provider policy | refuses an inactive person (SalesOS, Salesforce) | authorize.inactive
RFC 6749 §4.1.2 | refuses a code that was used, and revokes the tokens it gave | code.used
RFC 6749 §4.1.2 | refuses a code that has expired | code.expired
RFC 6749 §5.2 | refuses an invented code | code.unknown
RFC 6749 §5.2 | refuses a code and a refresh token of another client | code.unknown
RFC 6749 §4.1.3 | refuses a redirect URI other than that of the authorization request | code.redirect-uri
RFC 7636 §4.6 | refuses a wrong code verifier | code.verifier
RFC 7636 §4.6 | refuses a missing code verifier when a challenge was sent | code.no-verifier
RFC 6749 §2.3.1 | refuses a wrong client secret | client.secret
RFC 6749 §2.3.1 | refuses an unknown client at the token endpoint | client.unknown
RFC 6749 §2.3 | refuses two client authentication methods at once | client.twice
RFC 6749 §5.2 | refuses an unknown grant type | grant-type
RFC 6749 §5.2 | names the parameter that is missing | parameter.missing
RFC 6749 §3.2 | refuses GET at the token endpoint | all: 404
RFC 6749 §2.3.1 | refuses credentials and codes in the query of a token request (Salesloft, Salesforce) | salesloft: 400 invalid_request // salesforce: 400 invalid_request
Salesforce | refuses a JSON body at the token endpoint | salesforce: 400 unsupported_grant_type
Salesforce | refuses a scope in any token request | salesforce: 400 invalid_request
RFC 6749 §4.4 | refuses client credentials without an audience (SalesOS), or at all (Salesforce) | salesos: 400 invalid_request // salesforce: 400 invalid_grant
RFC 9700 §4.14.2 | refuses a refresh token that a refresh has replaced | refresh-token.used
RFC 9700 §4.14.2 | revokes the live refresh token when an old one is replayed (SalesOS, Salesforce) | salesos: 403 invalid_grant // salesforce: 400 invalid_grant
RFC 6749 §6 | refuses a refresh with a wider scope than was granted (Salesloft, SalesOS) | salesloft: 400 invalid_scope // salesos: 403 invalid_scope
Provider policy | refuses a refresh of a person who was deactivated | inactive
RFC 7009 §2.1 | refuses to revoke for a client that is not authenticated (Salesloft, SalesOS) | salesloft: 403 unauthorized_client // salesos: 401 invalid_client
RFC 7009 §2.2 | refuses to revoke an unknown token (Salesforce) | salesforce: 400 invalid_token
RFC 6750 §3 | refuses a profile request without a token, or with an invalid one | salesloft: 401 // salesos: 401 invalid_token // salesforce: 403 Missing_OAuth_Token, Bad_OAuth_Token
RFC 9700 §4.3.2 | refuses an access token in a URL | salesloft: 401 // salesos: 401 invalid_token // salesforce: 403 Bad_OAuth_Token
RFC 6750 §3.1 | refuses an access token that has expired | salesloft: 401 // salesos: 401 invalid_token // salesforce: 403 Bad_OAuth_Token
Salesforce | refuses the identity of another person, another organization or an unknown user | salesforce: 403 No_Access, 403 Wrong_Org, 404 Bad_Id
RFC 6750 §3.1 | refuses an API call without the scope (Salesloft, SalesOS) | salesloft: 403 // salesos: 403 FORBIDDEN
Salesloft | refuses an API key that is not listed | salesloft: 401
Salesloft | refuses a cadence import that is not valid | salesloft: 422, errors by field
SalesOS | refuses a lead without a name | salesos: 400 VALIDATION_ERROR
RFC 9110 §7.4 | refuses a Host that is not its own | all: 421, as plain text
`;

/** Everything that the emulator refuses. A test of the same title proves each entry. */
export const REFUSALS: readonly RefusalEntry[] = ROWS.trim()
  .split('\n')
  .map((row) => {
    const [section = '', behaviour = '', answer = ''] = row.split(' | ');
    const answers = answer.includes(': ') ? toldAnswers(answer) : answersFor(answer as Reason);
    return { section, behaviour, answers: Object.fromEntries(answers) };
  });

function toldAnswers(text: string): [provider: string, answer: string][] {
  return text.split(' // ').flatMap((one) => {
    const [, name = '', answer = ''] = /^(\w+): (.+)$/.exec(one) ?? [];
    const names = name === 'all' ? TABLES.map(([provider]) => provider) : [name];
    return names.map((provider): [string, string] => [provider, answer]);
  });
}

function answersFor(reason: Reason): [provider: string, answer: string][] {
  return TABLES.flatMap(([provider, table]) => {
    const words = wordsOf(table, { reason, name: '…' });
    if (!words) return [];
    const [status, error, description] = words;
    const isPage = status === 400 && reason.startsWith('authorize.');
    const place = isPage ? 'page:' : status === 302 ? 'callback:' : status;
    return [[provider, `${place} ${error}, ${description}`]];
  });
}
