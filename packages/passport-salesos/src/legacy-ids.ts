/** The ids under which passport-auth0 knows the person of a profile, so that accounts stay findable. */
import { text } from 'crm-oauth2/provider';
import type { SalesosProfile } from './profile';

/** A package that {@link legacyIds} knows. */
export type LegacyPackage = 'passport-auth0';

/**
 * The ids that an older package gave to the person of this profile: look your account up by each of them.
 * passport-auth0 takes the claim `user_id` where there is one, and the whole `sub` otherwise. Its
 * `provider` is the connection of the person here.
 *
 * @param from the package that the application used
 * @throws {TypeError} for another package
 * @example
 * const known = legacyIds(profile, 'passport-auth0').find((id) => users.has(id));
 */
export function legacyIds(profile: SalesosProfile, from: LegacyPackage): string[] {
  if (from !== 'passport-auth0') {
    throw new TypeError('SalesOS: legacyIds knows this package: passport-auth0');
  }
  const ids = [text(profile._json.user_id), profile.id].filter((id) => id !== undefined);
  return [...new Set(ids)];
}
