/** `/v2/me.json` → Passport's profile. */
import { Problem, isJsonObject, joined, text, withoutUndefined } from 'crm-oauth2/provider';
import type { Json, Profile } from 'crm-oauth2/provider';

/** `id` is Salesloft's numeric user id as a string; `_json` is the answer with its envelope. */
export interface SalesloftProfile extends Profile {
  provider: 'salesloft';
  /** The globally unique id that newer Salesloft endpoints take. */
  guid?: string;
  /** The customer account. */
  teamId?: string;
  jobRole?: string;
  /** `false` for a deactivated user, who can still sign in. */
  active?: boolean;
  /** A name of the tz database. */
  timeZone?: string;
  teamAdmin?: boolean;
}

/**
 * `GET /v2/me.json`: the user lies in `data`. It has no photo, and does not say whether the
 * address is verified. Salesloft's own OpenAPI file shows a company here: a wrong reference.
 *
 * @throws {Problem} `invalid_profile`
 * @see https://developers.salesloft.com/docs/platform/api-basics/request-response-format/
 */
export function mapProfile(json: Json, { raw }: { raw: string }): SalesloftProfile {
  const data = isJsonObject(json) ? json.data : undefined;
  if (!isJsonObject(json) || !isJsonObject(data)) {
    throw new Problem('invalid_profile', 'me.json has no object "data"');
  }
  const id =
    typeof data.id === 'number' && Number.isSafeInteger(data.id) ? String(data.id) : text(data.id);
  if (id === undefined) throw new Problem('invalid_profile', 'me.json has no usable "data.id"');

  const givenName = text(data.first_name);
  const familyName = text(data.last_name);
  const email = text(data.email);
  const team = isJsonObject(data.team) ? data.team.id : undefined;
  return withoutUndefined<SalesloftProfile>({
    provider: 'salesloft',
    id,
    displayName: text(data.name) ?? joined(givenName, familyName),
    name: givenName || familyName ? withoutUndefined({ givenName, familyName }) : undefined,
    emails: email ? [{ value: email }] : undefined,
    guid: text(data.guid),
    teamId: typeof team === 'number' ? String(team) : text(team),
    jobRole: text(data.job_role),
    active: typeof data.active === 'boolean' ? data.active : undefined,
    timeZone: text(data.time_zone),
    teamAdmin: typeof data.team_admin === 'boolean' ? data.team_admin : undefined,
    _raw: raw,
    _json: json,
  });
}
