/** The words of SalesOS, one by one: what they mean, in which step, and the remedy. */
import { expect } from 'chai';
import type { Stage } from 'crm-oauth2';
import { readError } from 'crm-oauth2/testing';
import { hints, meanings, refusals } from '../dist/errors';

/** The meaning of an error that SalesOS reports in one step. */
const read = (stage: string, error: string, description: string) =>
  readError({ meanings, refusals, hints }, { stage: stage as Stage, error, description });

const rowsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));

/** Step, `error`, its words, our code, and a part of the remedy where the words have one of their own. */
const MEANINGS = `
  authorize | access_denied | Service not found: https://wrong.example | unknown_audience
  token | invalid_request | OIDC is not supported for third-party clients | unsupported_third_party
  token | invalid_request | third party clients are not allowed here | unsupported_third_party
  token | access_denied | Client is not authorized to access "https://api.example" | unauthorized_client
  token | access_denied | client has not been granted scopes | unauthorized_client
  authorize | too_many_requests | | rate_limited
  authorize | invalid_request | Unknown client: client-1 | invalid_client
  token | unauthorized_client | Unauthorized or unknown client | invalid_client
  token | access_denied | Unauthorized | invalid_client
  refresh | access_denied | Unauthorized | invalid_client
  client_credentials | access_denied | Unauthorized | invalid_client
  revoke | access_denied | Unauthorized | invalid_client
  authorize | access_denied | user 1 is not part of the org_1 organization | not_a_member
  authorize | access_denied | you are not a part of this organization | not_a_member
  authorize | access_denied | user is not a member of the organisation | not_a_member
  authorize | access_denied | not member of this organization | not_a_member
  authorize | access_denied | user does not belong to any organization | not_a_member
  authorize | access_denied | user does not belong to any organisation | not_a_member
  authorize | access_denied | Você não faz parte desta organização | not_a_member
  authorize | access_denied | nao faz parte da organizacao | not_a_member
  authorize | access_denied | não é membro da organização | not_a_member
  authorize | access_denied | nao e membro da organizacao | not_a_member
  authorize | invalid_request | invitation not found or already used | invalid_invitation
  authorize | invalid_request | parameter organization is required for this client | organization_required
  authorize | invalid_request | organisation is required | organization_required
  authorize | invalid_request | you must select an organization | organization_required
  authorize | invalid_request | you must choose an organisation | organization_required
  authorize | invalid_request | no organization was chosen | organization_required
  authorize | invalid_request | no organisation was chosen | organization_required
  authorize | invalid_request | parameter organization is not allowed for this client | invalid_organization | Leave
  authorize | invalid_request | the organisation is not enabled | invalid_organization | Leave
  authorize | invalid_request | parameter organization is invalid | invalid_organization
  authorize | invalid_request | organisation is invalid | invalid_organization
  authorize | invalid_request | organization is not in a valid format | invalid_organization
  authorize | invalid_request | organization must be an organization id | invalid_organization
  authorize | invalid_request | organization not found | invalid_organization
  authorize | invalid_request | organization was not found | invalid_organization
  authorize | invalid_request | the organization does not exist | invalid_organization
  authorize | invalid_request | unknown organization | invalid_organization
  authorize | invalid_request | invalid organisation | invalid_organization
  authorize | access_denied | the connection was not found | unknown_connection
  authorize | access_denied | the connection is not enabled | unknown_connection
  authorize | access_denied | the connection was disabled | unknown_connection
  authorize | access_denied | connection does not exist | unknown_connection
  authorize | access_denied | connection name is invalid | unknown_connection
  authorize | invalid_request | no connections enabled for the client | unknown_connection
  authorize | invalid_request | invalid connection | unknown_connection
  authorize | invalid_request | unknown connection | unknown_connection
  authorize | unauthorized | Please verify your email before logging in. | email_not_verified
  authorize | access_denied | error_email_unverified | email_not_verified
  authorize | access_denied | VERIFY YOUR EMAIL | email_not_verified
  authorize | access_denied | e-mail: please confirm it | email_not_verified
  authorize | access_denied | Please confirm your email address. | email_not_verified
  authorize | access_denied | Por favor, verifique seu e-mail | email_not_verified
  authorize | access_denied | Por favor verifica tu correo | email_not_verified
  authorize | access_denied | Veuillez vérifier votre adresse e-mail | email_not_verified
  refresh | invalid_grant | user is blocked | unauthorized | has blocked the person
  authorize | unauthorized | user is blocked | unauthorized | has blocked the person
  authorize | access_denied | account has been blocked | access_denied | has blocked the person
  authorize | unauthorized | Usuário bloqueado | unauthorized | has blocked the person
  authorize | unauthorized | usuaria bloqueada | unauthorized | has blocked the person
  authorize | access_denied | A sua conta foi bloqueada. | access_denied | has blocked the person
  authorize | access_denied | la cuenta está bloqueada | access_denied | has blocked the person
  refresh | invalid_grant | generated for a user who does not exist anymore | invalid_grant | Remove their tokens
  refresh | invalid_grant | the user doesn't exist | invalid_grant | Remove their tokens
  refresh | invalid_grant | the user doesnt exist | invalid_grant | Remove their tokens
  refresh | invalid_grant | the user no longer exists | invalid_grant | Remove their tokens
  token | invalid_grant | redirect_uri differs | redirect_uri_mismatch
  token | invalid_grant | another redirect uri | redirect_uri_mismatch
  token | invalid_grant | Failed to verify code verifier | invalid_grant | PKCE verifier
  token | invalid_request | code_verifier is missing | invalid_request | PKCE verifier
`;

/** Words that look alike, and mean nothing else than their `error`. */
const OTHERS = `
  authorize | invalid_request | service not found
  authorize | access_denied | the service not found
  authorize | invalid_request | client is not authorized
  authorize | access_denied | unknown client
  authorize | access_denied | Unauthorized
  token | invalid_request | Unauthorized
  token | access_denied | Unauthorized person
  token | access_denied | is unauthorized
  authorize | access_denied | a disorganization is required
  token | access_denied | the connection was disabled
  authorize | access_denied | the mailman must verify
  authorize | access_denied | hotmail confirmation page
  authorize | access_denied | a confirmation of the email was sent
  authorize | server_error | user is blocked
  authorize | unauthorized | this user unblocked
  refresh | invalid_request | the user does not exist
  token | invalid_request | redirect_uri differs
  refresh | invalid_grant | Failed to verify code verifier
`;

describe('errors of SalesOS', () => {
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
