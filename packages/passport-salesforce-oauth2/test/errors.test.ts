/** The words of Salesforce, one by one: what they mean, in which step, and the remedy. */
import { expect } from 'chai';
import type { Stage } from 'crm-oauth2';
import { readError } from 'crm-oauth2/testing';
import { hints, meanings, refusals } from '../dist/errors';

/** The meaning of an error that Salesforce reports in one step. */
const read = (stage: string, error: string, description: string) =>
  readError({ meanings, refusals, hints }, { stage: stage as Stage, error, description });

const rowsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));

/** Step, `error`, its words, our code, and a part of the remedy where the words have one of their own. */
const MEANINGS = `
  api | INVALID_SESSION_ID | Session expired or invalid | invalid_token
  api | InvalidSessionId | Invalid session id | invalid_token
  api | INVALID_AUTH_HEADER | INVALID_HEADER_TYPE | invalid_token
  api | REQUEST_LIMIT_EXCEEDED | TotalRequests Limit exceeded. | rate_limited
  api | ExceededQuota | Query rows exceeded | rate_limited
  api | INSUFFICIENT_ACCESS | insufficient access rights on object id | insufficient_access
  api | INSUFFICIENT_ACCESS_OR_READONLY | insufficient access rights | insufficient_access
  api | INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY | insufficient access rights | insufficient_access
  api | TXN_SECURITY_NO_ACCESS | The operation is not allowed by a policy | insufficient_access
  api | INVALID_OPERATION_WITH_EXPIRED_PASSWORD | The users password has expired | expired_password
  api | API_DISABLED_FOR_ORG | API is not enabled for this Organization | API_DISABLED_FOR_ORG
  api | API_CURRENTLY_DISABLED | API is currently disabled | provider_unavailable
  api | SERVER_UNAVAILABLE | Server is busy | provider_unavailable
  api | TXN_SECURITY_METERING_ERROR | An error in metering | provider_unavailable
  api | URL_NOT_RESET | Requested path does not exist | URL_NOT_RESET | of its tokens, which name the new host
  api | NOT_FOUND | The requested URL no longer exists | NOT_FOUND | of its tokens, which name the new host
  api | Bad_OAuth_Token | | invalid_token
  profile | Bad_OAuth_Token | | invalid_token
  api | Missing_OAuth_Token | | invalid_token
  profile | Missing_OAuth_Token | | invalid_token
  profile | Inactive | | inactive_user
  profile | Wrong_Org | | Wrong_Org | another organization than the identity URL
  profile | No_Site_Endpoint | | No_Site_Endpoint | with its path
  token | invalid_grant | inactive user | inactive_user
  token | invalid_grant | this is a frozen user | inactive_user
  refresh | invalid_grant | deactivated user | inactive_user
  token | invalid_grant | user is inactive | inactive_user
  token | invalid_grant | The user is frozen | inactive_user
  token | invalid_grant | inactive organization | inactive_org
  token | invalid_grant | organization is inactive | inactive_org
  token | invalid_grant | organisation is locked | inactive_org
  token | invalid_grant | IP restricted or invalid login hours | ip_restricted | allows no login at this hour
  token | invalid_grant | ip restricted | ip_restricted
  token | invalid_grant | ip address not allowed | ip_restricted
  refresh | invalid_grant | ip outside of the range | ip_restricted
  token | invalid_grant | invalid login hours | login_hours
  token | invalid_grant | login rate exceeded | rate_limit_exceeded
  token | invalid_grant | LOGIN_RATE_EXCEEDED | rate_limit_exceeded
  authorize | LOGIN_RATE_EXCEEDED | | rate_limit_exceeded
  token | invalid_grant | user is not admin approved | invalid_app_access
  token | unauthorized_client | user is not admin approved | invalid_app_access
  authorize | access_denied | user is not admin approved | invalid_app_access
  token | invalid_grant | the app has been blocked by an admin | app_blocked
  authorize | access_denied | this app is blocked | app_blocked
  token | invalid_grant | the app is not installed | app_not_installed
  authorize | access_denied | app must be installed into org | app_not_installed
  authorize | invalid_grant | user hasn't approved this consumer | app_not_approved
  token | invalid_grant | user hasnt approved this consumer | app_not_approved
  token | invalid_grant | the consumer is not approved | app_not_approved
  refresh | invalid_grant | user hasn't approved this consumer | invalid_grant | revoked the approval
  refresh | invalid_grant | user hasnt approved this consumer | invalid_grant | revoked the approval
  refresh | invalid_grant | the consumer is not approved | invalid_grant | revoked the approval
  authorize | invalid_grant | authentication failure | invalid_grant | My Domain
  token | invalid_grant | authentication failure | invalid_grant | My Domain
  refresh | invalid_grant | authentication failure - Failed: API security token required | invalid_grant | My Domain
  token | invalid_grant | expired authorization code | invalid_grant | 15 minutes
  token | invalid_grant | invalid authorization code | invalid_grant | encoded it twice
  token | invalid_grant | invalid code verifier | invalid_grant | PKCE verifier
  token | invalid_request | required parameter missing: code_verifier | invalid_request | PKCE verifier
  token | invalid_grant | no valid scopes defined | invalid_scope
  refresh | invalid_grant | the scope not among those of the app | invalid_scope
  refresh | invalid_grant | scopes defined differently | invalid_scope
`;

/** Words that look alike, and mean nothing else than their `error`. */
const OTHERS = `
  token | URL_NOT_RESET | Requested path does not exist
  token | NOT_FOUND | The requested URL no longer exists
  token | INVALID_SESSION_ID | Session expired
  token | Bad_OAuth_Token |
  token | Missing_OAuth_Token |
  api | Inactive |
  api | Wrong_Org |
  api | No_Site_Endpoint |
  token | invalid_grant | reinactive users
  token | invalid_grant | equip restricted
  token | invalid_grant | ip and then many other words, restricted
  token | invalid_scope | user is not admin approved
  token | invalid_scope | the app is blocked
  token | invalid_grant | the app, after many other words, is blocked
  token | unauthorized_client | the app is not installed
  client_credentials | invalid_grant | user hasn't approved this consumer
  token | unauthorized_client | user hasn't approved this consumer
  refresh | unauthorized_client | user hasn't approved this consumer
  client_credentials | invalid_grant | authentication failure
  token | unauthorized_client | authentication failure
  token | invalid_grant | one more authentication failure
  token | invalid_grant | no expired authorization code
  token | unauthorized_client | expired authorization code
  token | invalid_grant | no invalid authorization code
  token | unauthorized_client | invalid authorization code
  refresh | invalid_grant | invalid code verifier
  token | invalid_request | no valid scopes defined
`;

describe('errors of Salesforce', () => {
  for (const [stage = '', error = '', words = '', code, hint] of rowsOf(MEANINGS)) {
    it(`${stage}: ${error} "${words}" means ${code}`, () => {
      const meaning = read(stage, error, words);
      expect(meaning.code).to.equal(code);
      if (hint === undefined) expect(meaning.hint).to.equal(undefined);
      else expect(meaning.hint).to.include(hint);
    });
  }

  for (const [stage = '', error = '', words = ''] of rowsOf(OTHERS)) {
    it(`${stage}: ${error} "${words}" means no more than its error`, () => {
      const { code, hint } = read(stage, error, words);
      expect({ code, hint }).to.deep.equal({ code: error, hint: undefined });
    });
  }
});
