/** Salesforce's profile: the identity URL and UserInfo. Their errors are plain text. */
import type { Handler, RouteContext } from '../endpoints.js';
import type { CompletePerson } from '../people.js';
import { ok, plainText, type Reply } from '../reply.js';
import { LATEST_API_VERSION } from './salesforce-api.js';
import { type Org, sessionOf } from './salesforce-org.js';

/** Any of these scopes allows a token to read the identity of its own person. */
const IDENTITY_SCOPES = ['id', 'profile', 'email', 'address', 'phone', 'api', 'full'];

/** Wraps a handler: finds the person of the access token, and the scopes of it. */
const guarded =
  (
    { people, store }: Org,
    answer: (owner: CompletePerson, scopes: ReadonlySet<string>, context: RouteContext) => Reply,
  ): Handler =>
  (context) => {
    const { request, url } = context;
    const isInUrl = ['access_token', 'oauth_token'].some((name) => url.searchParams.has(name));
    if (isInUrl) return plainText(403, 'Bad_OAuth_Token');
    const token = request.bearerToken;
    if (!token) return plainText(403, 'Missing_OAuth_Token');
    const session = sessionOf(store, token);
    const owner = people.bySubject(session?.entry.accountId);
    if (!session || !owner) return plainText(403, 'Bad_OAuth_Token');
    return answer(owner, session.scopes, context);
  };

export const identity = (org: Org): Handler =>
  guarded(org, (owner, scopes, { match, url }) => {
    const [, organization = '', user = ''] = match;
    const isOwnOrg = isSameId(owner.organizationId, organization);
    if (/^00D\w{12}(\w{3})?$/.test(organization) && !isOwnOrg) return plainText(403, 'Wrong_Org');
    const person = org.people.all.find(
      ({ userId, organizationId }) =>
        organizationId === owner.organizationId && isSameId(userId, user),
    );
    if (!isOwnOrg || !person) return plainText(404, 'Bad_Id');
    const readers = person === owner ? IDENTITY_SCOPES : ['api', 'full'];
    if (!readers.some((scope) => scopes.has(scope))) return plainText(403, 'No_Access');
    if (!person.active) return plainText(404, 'Inactive');
    const version = url.searchParams.get('version') ?? undefined;
    if (version !== undefined && !/^(latest|\d+(\.\d)?)$/.test(version)) {
      return plainText(406, 'Invalid_Version');
    }
    return ok(identityOf(org, person, person === owner, version));
  });

export const userInfo = (org: Org): Handler => guarded(org, (owner) => ok(userInfoOf(org, owner)));

/** A Salesforce id may be written with 15 or 18 characters. */
function isSameId(id18: string, given: string): boolean {
  return given === id18 || given === id18.slice(0, 15);
}

function urlsOf(
  origin: string,
  person: CompletePerson,
  version = '{version}',
): Record<string, string> {
  const release = version === 'latest' ? LATEST_API_VERSION : version;
  const data = `${origin}/services/data/v${release}`;
  const organization = person.organizationId.slice(0, 15);
  return {
    enterprise: `${origin}/services/Soap/c/${release}/${organization}`,
    metadata: `${origin}/services/Soap/m/${release}/${organization}`,
    partner: `${origin}/services/Soap/u/${release}/${organization}`,
    rest: `${data}/`,
    sobjects: `${data}/sobjects/`,
    search: `${data}/search/`,
    query: `${data}/query/`,
    recent: `${data}/recent/`,
    tooling_soap: `${origin}/services/Soap/T/${release}/${organization}`,
    tooling_rest: `${data}/tooling/`,
    profile: `${origin}/${person.userId}`,
    feeds: `${data}/chatter/feeds`,
    groups: `${data}/chatter/groups`,
    users: `${data}/chatter/users`,
    feed_items: `${data}/chatter/feed-items`,
    feed_elements: `${data}/chatter/feed-elements`,
    custom_domain: origin,
  };
}

/** The members that the identity and UserInfo share. */
function sharedOf(origin: string, person: CompletePerson, version?: string) {
  const { email, emailVerified, number } = person;
  const photo = `${origin}/profilephoto/${number}`;
  return {
    user_id: person.userId,
    organization_id: person.organizationId,
    ...(email !== undefined && { email, email_verified: emailVerified }),
    photos: { picture: `${photo}/F`, thumbnail: `${photo}/T` },
    ...(person.urls && { urls: urlsOf(origin, person, version) }),
    active: person.active,
    user_type: 'STANDARD',
    language: 'en_US',
    locale: person.locale,
    utcOffset: -28_800_000,
    is_app_installed: true,
  };
}

const CHANGED_AT = '2026-07-14T00:26:52Z';

function identityOf(
  { origins }: Org,
  person: CompletePerson,
  isOwnIdentity: boolean,
  version: string | undefined,
): Record<string, unknown> {
  return {
    id: person.subject,
    asserted_user: isOwnIdentity,
    ...sharedOf(origins.org, person, version),
    username: person.username,
    nick_name: person.handle,
    display_name: person.name,
    first_name: person.firstName,
    last_name: person.lastName,
    timezone: person.timeZone,
    addr_street: null,
    addr_city: null,
    addr_state: null,
    addr_country: null,
    addr_zip: null,
    mobile_phone: null,
    mobile_phone_verified: false,
    is_lightning_login_user: false,
    status: { created_date: null, body: null },
    last_modified_date: CHANGED_AT,
  };
}

export function userInfoOf(
  { origins: { org: origin } }: Pick<Org, 'origins'>,
  person: CompletePerson,
): Record<string, unknown> {
  const { firstName } = person;
  const shared = sharedOf(origin, person);
  return {
    sub: person.subject,
    ...shared,
    preferred_username: person.username,
    nickname: person.handle,
    name: person.name,
    ...(firstName !== null && { given_name: firstName }),
    family_name: person.lastName,
    zoneinfo: person.timeZone,
    profile: `${origin}/${person.userId}`,
    picture: shared.photos.picture,
    address: {},
    is_salesforce_integration_user: false,
    updated_at: CHANGED_AT,
  };
}
