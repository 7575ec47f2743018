/** The ids under which an older package knows the person of a profile, so that accounts stay findable. */
import { parseIdentityUrl, sameIds, to18 } from './ids';
import type { SalesforceProfile } from './profile';

/** One spelling of the two ids. */
interface Ids {
  organizationId: string;
  userId: string;
}

/** A package and the ids that it gave to an application, or that its users took from its profile. */
interface OldForms {
  both?: true;
  user?: true;
  url?: true;
}

const OLD_FORMS = {
  // Its `id`.
  'passport-forcedotcom': { both: true },
  // The answer of UserInfo as it came: `user_id` or `sub`.
  'passport-salesforce': { user: true, url: true },
  // The `id` of version 0.0.1, of another author.
  'passport-salesforce-oauth2': { user: true },
  // The `id` of the token response.
  'salesforce-oauth2': { url: true },
  // `userInfo.id` or `userInfo.url` of a connection.
  jsforce: { user: true, url: true },
} satisfies Record<string, OldForms>;

/** A package that {@link legacyIds} knows; `passport-salesforce-oauth2` is version 0.0.1 of another author. */
export type LegacyPackage = keyof typeof OLD_FORMS;

/** Where the identity URL of a production org, and that of a sandbox, has always been. */
const IDENTITY_ORIGINS = ['https://login.salesforce.com', 'https://test.salesforce.com'];

/**
 * The ids that an older package gave to the person of this profile: look your account up by each of them.
 * First come those with the ids as Salesforce sends them, then those of 18 characters, then those of 15.
 *
 * A user id without its organization names other people too: a sandbox has the user ids of the org that it
 * was copied from, and administrators of its own. Where the package knew the user id alone, admit only your
 * organizations (`allowedOrganizations`), or compare the organization of the account as well.
 *
 * @param from the package that the application used
 * @throws {TypeError} for another package
 * @example
 * const known = [profile.id, ...legacyIds(profile, 'passport-forcedotcom')].find((id) => users.has(id));
 */
export function legacyIds(profile: SalesforceProfile, from: LegacyPackage): string[] {
  if (!Object.hasOwn(OLD_FORMS, from)) {
    const known = Object.keys(OLD_FORMS).join(', ');
    throw new TypeError(`Salesforce: legacyIds knows these packages: ${known}`);
  }
  const forms: OldForms = OLD_FORMS[from];
  const found = spellings(profile).flatMap(({ organizationId, userId }) => [
    ...(forms.both ? [`${organizationId}/${userId}`] : []),
    ...(forms.user ? [userId] : []),
    ...(forms.url ? identityUrls(profile, { organizationId, userId }) : []),
  ]);
  return [...new Set(found)];
}

/** The ids as they came, with 18 characters and with 15. */
function spellings(profile: SalesforceProfile): Ids[] {
  const { organizationId, userId, _json } = profile;
  const own = { organizationId: to18(organizationId), userId: to18(userId) };
  const sent = [
    identityOf(profile),
    { organizationId: _json.organization_id, userId: _json.user_id },
  ];
  return [
    ...sent.filter((ids): ids is Ids => isOf(own, ids)),
    own,
    { organizationId: organizationId.slice(0, 15), userId: userId.slice(0, 15) },
  ];
}

/** The identity URL: a field of the identity, and the subject of claims. */
function identityOf({ _json }: SalesforceProfile) {
  return parseIdentityUrl(_json.id) ?? parseIdentityUrl(_json.sub);
}

function isOf(own: Ids, ids: Partial<Record<keyof Ids, unknown>> | undefined): ids is Ids {
  const { organizationId, userId } = ids ?? {};
  return (
    typeof organizationId === 'string' &&
    typeof userId === 'string' &&
    sameIds(own, { organizationId, userId })
  );
}

function identityUrls(profile: SalesforceProfile, ids: Ids): string[] {
  const identity = identityOf(profile);
  const path = `/id/${ids.organizationId}/${ids.userId}`;
  const sent = identity && isOf(ids, identity) ? [identity.url.href] : [];
  return [...sent, ...IDENTITY_ORIGINS.map((origin) => origin + path)];
}
