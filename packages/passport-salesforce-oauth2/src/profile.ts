/** The answer of the identity URL → Passport's profile. */
import { Problem, isJsonObject, joined, text, withoutUndefined } from 'crm-oauth2/provider';
import type { Json, JsonObject, Profile, ProfileContext, TokenSet } from 'crm-oauth2/provider';
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
 * True when the ID Token says all that applications read of a profile, and stands for the access token
 * (`at_hash`). Salesforce puts these claims into it where the app includes standard claims.
 */
export function saysEnough(claims: TokenSet['claims']): boolean {
  return [claims?.name, claims?.email, claims?.at_hash].every((value) => text(value) !== undefined);
}

/**
 * The answer of the identity URL; or of UserInfo when there was only an access token; or the claims of the
 * verified ID Token, see {@link saysEnough}.
 * Photos need a token to be fetched; none is ever put into their URLs.
 *
 * @throws {Problem} `invalid_profile`, `not_asserted`, `subject_mismatch`
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
 */
export function mapProfile(
  json: Json,
  { raw, source, tokens }: Pick<ProfileContext, 'raw' | 'source' | 'tokens'>,
): SalesforceProfile {
  const fields = isJsonObject(json) ? json : {};
  const isClaims = source === 'id_token';
  const subject = isClaims ? parseIdentityUrl(fields.sub) : undefined;
  const organizationId = recordId(
    subject?.organizationId ?? fields.organization_id,
    ORGANIZATION_ID,
  );
  const userId = recordId(subject?.userId ?? fields.user_id, USER_ID);
  if (organizationId === undefined || userId === undefined) {
    throw new Problem('invalid_profile', 'the profile has no usable organization_id and user_id');
  }
  const expected = parseIdentityUrl(tokens.response.id);
  if (expected) {
    // A token may read the identity of another person; then this is false. An ID Token is always of the
    // person who signed in.
    if (!isClaims && fields.asserted_user !== true) {
      throw new Problem('not_asserted', 'the profile is not asserted for this access token');
    }
    if (!sameIds(expected, { organizationId, userId })) {
      throw new Problem('subject_mismatch', 'the profile is of another person than "id"');
    }
  }
  const givenName = text(fields.first_name) ?? text(fields.given_name);
  const familyName = text(fields.last_name) ?? text(fields.family_name);
  const fullName = text(fields.display_name) ?? text(fields.name);
  const username = text(fields.username) ?? text(fields.preferred_username);
  const email = text(fields.email);
  const verified = typeof fields.email_verified === 'boolean' ? fields.email_verified : undefined;
  return withoutUndefined<SalesforceProfile>({
    provider: 'salesforce',
    id: `${organizationId}/${userId}`,
    displayName: fullName ?? (joined(givenName, familyName) || (username ?? '')),
    username,
    name: givenName || familyName ? withoutUndefined({ givenName, familyName }) : undefined,
    emails: email ? [withoutUndefined({ value: email, verified })] : undefined,
    photos: photos(fields),
    organizationId,
    userId,
    instanceUrl: text(tokens.response.instance_url),
    urls: strings(fields.urls),
    userType: text(fields.user_type),
    active: typeof fields.active === 'boolean' ? fields.active : undefined,
    language: text(fields.language),
    locale: text(fields.locale),
    timeZone: text(fields.timezone) ?? text(fields.zoneinfo),
    _raw: raw,
    _json: fields,
  });
}

/** 15 or 18 letters and digits. */
const ORGANIZATION_ID = /^00D(?:[0-9A-Za-z]{12}|[0-9A-Za-z]{15})$/;
const USER_ID = /^005(?:[0-9A-Za-z]{12}|[0-9A-Za-z]{15})$/;

function recordId(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? to18(value) : undefined;
}

function photos({ photos: own, picture }: JsonObject): { value: string }[] | undefined {
  const urls = (isJsonObject(own) ? [own.picture, own.thumbnail] : [picture]).map(text);
  const values = urls.filter((value) => value !== undefined).map((value) => ({ value }));
  return values.length > 0 ? values : undefined;
}

function strings(value: unknown): Record<string, string> | undefined {
  const entries = Object.entries(isJsonObject(value) ? value : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
