/** Maps the standard claims (OpenID Connect Core §5.1) to Passport's profile. */
import { Problem } from '../errors/problem';
import type { IdTokenClaims } from '../protocol/id-token';
import { isJsonObject, text, withoutUndefined } from '../values/json';
import type { Json, JsonObject } from '../values/json';

/** Passport's normalized profile (Portable Contacts), as every strategy of the family fills it. */
export interface Profile {
  provider: string;
  /** Stable and unique at the provider: the key for your accounts, together with `provider`. */
  id: string;
  displayName: string;
  username?: string;
  name?: { familyName?: string; givenName?: string; middleName?: string };
  /** `verified` only where the provider says so. An address is not a key: never link accounts by it. */
  emails?: { value: string; verified?: boolean }[];
  photos?: { value: string }[];
  /** The text the profile was read from: the answer's body, or the ID Token's claims as JSON. */
  _raw: string;
  /** The same, parsed. */
  _json: JsonObject;
}

const PERSON_CLAIMS = ['name', 'nickname', 'given_name', 'family_name', 'email'];

/** True when the ID Token describes the person by a name or an e-mail address, beside the `sub`. */
export function namesPerson(claims: IdTokenClaims | undefined): boolean {
  return claims !== undefined && PERSON_CLAIMS.some((name) => text(claims[name]) !== undefined);
}

/**
 * The profile of standard claims, from the ID Token or from UserInfo. `id` is the whole `sub`.
 *
 * @throws {Problem} `invalid_profile`, `subject_mismatch`
 */
export function mapStandardClaims(
  json: Json,
  { provider, raw, claims }: { provider: string; raw: string; claims?: IdTokenClaims },
): Profile {
  if (!isJsonObject(json) || typeof json.sub !== 'string' || json.sub === '') {
    throw new Problem('invalid_profile', 'the claims have no "sub"');
  }
  // OpenID Connect Core §5.3.2.
  if (claims && claims.sub !== json.sub) {
    throw new Problem('subject_mismatch', 'the profile is of another person');
  }
  const fields = { ...claims, ...json };
  const name = withoutUndefined({
    givenName: text(fields.given_name),
    familyName: text(fields.family_name),
    middleName: text(fields.middle_name),
  });
  const username = text(fields.nickname) ?? text(fields.preferred_username);
  // Address and flag come from one source: a flag from the other source may be about another address.
  const source = text(json.email) === undefined && claims ? claims : json;
  const email = text(source.email);
  const verified = typeof source.email_verified === 'boolean' ? source.email_verified : undefined;
  const picture = text(fields.picture);
  return withoutUndefined<Profile>({
    provider,
    id: json.sub,
    displayName: text(fields.name) ?? (joined(name.givenName, name.familyName) || (username ?? '')),
    username,
    name: Object.keys(name).length > 0 ? name : undefined,
    emails: email ? [withoutUndefined({ value: email, verified })] : undefined,
    photos: picture ? [{ value: picture }] : undefined,
    _raw: raw,
    _json: json,
  });
}

/** The parts of a name that are there, with a space between them. */
export function joined(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(' ');
}
