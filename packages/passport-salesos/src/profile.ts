/** The claims of SalesOS → Passport's profile. */
import { mapStandardClaims, text, withoutUndefined } from 'crm-oauth2/provider';
import type { Json, Profile, ProfileContext } from 'crm-oauth2/provider';

/** `id` is the whole `sub`; `_json` holds the ID Token's claims, or the answer of `/userinfo`. */
export interface SalesosProfile extends Profile {
  provider: 'salesos';
  /** The Auth0 connection of the person: the part of `sub` before the bar. */
  connection?: string;
  organizationId?: string;
}

/**
 * Standard claims, and two of Auth0. `sub` is never split for the id: it is unique only as a whole.
 *
 * @throws {Problem} `invalid_profile`, `subject_mismatch`
 */
export function mapProfile(json: Json, context: ProfileContext): SalesosProfile {
  const { _raw, _json, ...profile } = mapStandardClaims(json, context);
  const bar = profile.id.indexOf('|');
  return withoutUndefined<SalesosProfile>({
    ...profile,
    provider: 'salesos',
    connection: bar > 0 ? profile.id.slice(0, bar) : undefined,
    organizationId: text(_json.org_id) ?? text(context.claims?.org_id),
    _raw,
    _json,
  });
}
