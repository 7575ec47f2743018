/** The answer of the identity URL → Passport's profile. */
import { Problem, isJsonObject, joined, text, withoutUndefined } from 'crm-oauth2/provider';
import type { Json, JsonObject, Profile, TokenSet } from 'crm-oauth2/provider';
import { parseIdentityUrl, sameIds, to18 } from './ids';

/**
 * `id` is `ORG/USER`, both with 18 characters: it stays when an org changes its host, and user ids
 * alone are unique only within an org.
 */
export interface SalesforceProfile extends Profile {
  provider: 'salesforce';
  organizationId: string;
  userId: string;
  /** Where the APIs of the org are. */
  instanceUrl?: string;
  /** Addresses of the org's APIs, by name. */
  urls?: Record<string, string>;
  userType?: string;
  active?: boolean;
  language?: string;
  locale?: string;
  timeZone?: string;
}

/**
 * The answer of the identity URL, or of UserInfo when there was only an access token.
 * Photos need a token to be fetched; none is ever put into their URLs.
 *
 * @throws {Problem} `invalid_profile`, `not_asserted`, `subject_mismatch`
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
 */
export function mapProfile(
  json: Json,
  { raw, tokens }: { raw: string; tokens: TokenSet },
): SalesforceProfile {
  const organizationId = isJsonObject(json) ? recordId(json.organization_id, '00D') : undefined;
  const userId = isJsonObject(json) ? recordId(json.user_id, '005') : undefined;
  if (!isJsonObject(json) || organizationId === undefined || userId === undefined) {
    throw new Problem('invalid_profile', 'the profile has no usable organization_id and user_id');
  }
  const expected = parseIdentityUrl(tokens.response.id);
  if (expected) {
    // A token may read the identity of another person; then this is false.
    if (json.asserted_user !== true) {
      throw new Problem('not_asserted', 'the profile is not asserted for this access token');
    }
    if (!sameIds(expected, { organizationId, userId })) {
      throw new Problem('subject_mismatch', 'the profile is of another person than "id"');
    }
  }
  const givenName = text(json.first_name) ?? text(json.given_name);
  const familyName = text(json.last_name) ?? text(json.family_name);
  const username = text(json.username) ?? text(json.preferred_username);
  const email = text(json.email);
  const verified = typeof json.email_verified === 'boolean' ? json.email_verified : undefined;
  return withoutUndefined<SalesforceProfile>({
    provider: 'salesforce',
    id: `${organizationId}/${userId}`,
    displayName:
      text(json.display_name) ??
      text(json.name) ??
      (joined(givenName, familyName) || (username ?? '')),
    username,
    name: givenName || familyName ? withoutUndefined({ givenName, familyName }) : undefined,
    emails: email ? [withoutUndefined({ value: email, verified })] : undefined,
    photos: photos(json),
    organizationId,
    userId,
    instanceUrl: text(tokens.response.instance_url),
    urls: strings(json.urls),
    userType: text(json.user_type),
    active: typeof json.active === 'boolean' ? json.active : undefined,
    language: text(json.language),
    locale: text(json.locale),
    timeZone: text(json.timezone) ?? text(json.zoneinfo),
    _raw: raw,
    _json: json,
  });
}

function recordId(value: unknown, prefix: string): string | undefined {
  return typeof value === 'string' &&
    /^(?:[0-9A-Za-z]{15}|[0-9A-Za-z]{18})$/.test(value) &&
    value.startsWith(prefix)
    ? to18(value)
    : undefined;
}

function photos(json: JsonObject): { value: string }[] | undefined {
  const own = isJsonObject(json.photos)
    ? [json.photos.picture, json.photos.thumbnail]
    : [json.picture];
  const values = own.map(text).filter((value) => value !== undefined);
  return values.length > 0 ? values.map((value) => ({ value })) : undefined;
}

function strings(value: unknown): Record<string, string> | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
