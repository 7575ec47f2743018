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
  const id = idText(data.id);
  if (id === undefined) throw new Problem('invalid_profile', 'me.json has no usable "data.id"');

  const givenName = text(data.first_name);
  const familyName = text(data.last_name);
  const email = text(data.email);
  return withoutUndefined<SalesloftProfile>({
    provider: 'salesloft',
    id,
    displayName: text(data.name) ?? joined(givenName, familyName),
    name: givenName || familyName ? withoutUndefined({ givenName, familyName }) : undefined,
    emails: email ? [{ value: email }] : undefined,
    guid: text(data.guid),
    teamId: isJsonObject(data.team) ? idText(data.team.id) : undefined,
    jobRole: text(data.job_role),
    active: typeof data.active === 'boolean' ? data.active : undefined,
    timeZone: text(data.time_zone),
    teamAdmin: typeof data.team_admin === 'boolean' ? data.team_admin : undefined,
    _raw: raw,
    _json: json,
  });
}

/** A number that JSON has rounded may be the id of another team or person, so it is none. */
function idText(id: unknown): string | undefined {
  return typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : text(id);
}
