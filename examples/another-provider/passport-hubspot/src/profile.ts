/** The profile of HubSpot: theirs → ours. */
import { Problem, isJsonObject, text, withoutUndefined } from 'crm-oauth2/provider';
import type { Json, Profile } from 'crm-oauth2/provider';

/** `id` is the account and the user: HubSpot does not say that a user id is unique beyond its account. */
export interface HubSpotProfile extends Profile {
  provider: 'hubspot';
  hubId: number;
}

/**
 * `GET /oauth/v1/access-tokens/TOKEN` answers `{ token, user, user_id, hub_id, hub_domain, … }`; `user` is
 * an e-mail address, and HubSpot does not say that it is verified.
 *
 * @throws {Problem} `invalid_profile`
 */
export function mapProfile(json: Json): HubSpotProfile {
  if (!isJsonObject(json) || typeof json.hub_id !== 'number' || typeof json.user_id !== 'number') {
    throw new Problem('invalid_profile', 'the answer has no numeric "hub_id" and "user_id"');
  }
  // The answer repeats the token, and may hold what the token is made of.
  const { token: _token, signed_access_token: _signed, ...answer } = json;
  const email = text(json.user);
  return withoutUndefined<HubSpotProfile>({
    provider: 'hubspot',
    id: `${json.hub_id}/${json.user_id}`,
    hubId: json.hub_id,
    displayName: email ?? '',
    emails: email ? [{ value: email }] : undefined,
    _raw: JSON.stringify(answer),
    _json: answer,
  });
}
