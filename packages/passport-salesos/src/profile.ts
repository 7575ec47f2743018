import { Problem, isJsonObject, known, text } from 'crm-oauth2';
import type { IdTokenClaims, Json, Profile } from 'crm-oauth2';

/** `id` is the whole `sub`; `_json` holds the ID Token's claims, or the answer of `/userinfo`. */
export interface SalesosProfile extends Profile {
  provider: 'salesos';
  /** Where Auth0 knows the person from: what stands before the bar in `sub`. */
  connection?: string;
  organizationId?: string;
}

const PROFILE_CLAIMS = ['name', 'nickname', 'given_name', 'family_name', 'email'];

/** Whether an ID Token says who the person is, and not only that it is the same one. */
export function hasProfileClaims(claims: IdTokenClaims | undefined): boolean {
  return claims !== undefined && PROFILE_CLAIMS.some((name) => text(claims[name]) !== undefined);
}

/**
 * Standard claims (OpenID Connect Core §5.1). `sub` is never split for the id: it is unique only
 * as a whole.
 *
 * @throws {Problem} `invalid_profile`, `subject_mismatch`
 */
export function mapProfile(
  json: Json,
  { raw, claims }: { raw: string; claims?: IdTokenClaims },
): SalesosProfile {
  const sub = isJsonObject(json) ? text(json.sub) : undefined;
  if (!isJsonObject(json) || sub === undefined) {
    throw new Problem('invalid_profile', 'the claims have no "sub"');
  }
  // OpenID Connect Core §5.3.2.
  if (claims && claims.sub !== sub) {
    throw new Problem('subject_mismatch', 'the profile is of another person');
  }
  const fields = claims ? { ...claims, ...json } : json;
  const givenName = text(fields.given_name);
  const familyName = text(fields.family_name);
  const middleName = text(fields.middle_name);
  const username = text(fields.nickname) ?? text(fields.preferred_username);
  // Address and flag from one source: the flag of another address would vouch for this one.
  const source = text(json.email) === undefined && claims ? claims : json;
  const email = text(source.email);
  const verified = typeof source.email_verified === 'boolean' ? source.email_verified : undefined;
  const picture = text(fields.picture);
  const bar = sub.indexOf('|');
  return known<SalesosProfile>({
    provider: 'salesos',
    id: sub,
    displayName:
      text(fields.name) ?? ([givenName, familyName].filter(Boolean).join(' ') || (username ?? '')),
    username,
    name:
      givenName || familyName || middleName
        ? known({ givenName, familyName, middleName })
        : undefined,
    emails: email ? [known({ value: email, verified })] : undefined,
    photos: picture ? [{ value: picture }] : undefined,
    connection: bar > 0 ? sub.slice(0, bar) : undefined,
    organizationId: text(fields.org_id),
    _raw: raw,
    _json: json,
  });
}
