/** Salesforce's profile: the identity URL and UserInfo. Their errors are plain text. */
import { bearerToken } from '../client-authentication.js';
import type { Environment } from '../dialect.js';
import type { Handler, RouteContext } from '../endpoints.js';
import type { CompletePerson } from '../people.js';
import { type Reply, TEXT_TYPE } from '../reply.js';
import { LATEST_API_VERSION } from './salesforce-api.js';
import { identityURL, personOfIdentity, sessionOf } from './salesforce-tokens.js';

/** Any of these scopes allows a token to read the identity of its own person. */
const IDENTITY_SCOPES = ['id', 'profile', 'email', 'address', 'phone', 'api', 'full'];

/** The person of the access token, or the refusal of it. */
function tokenOwner(
  { request, url }: RouteContext,
  environment: Environment,
): CompletePerson | Reply {
  const isInUrl = ['access_token', 'oauth_token'].some((name) => url.searchParams.has(name));
  const token = bearerToken(request);
  if (isInUrl) return text(403, 'Bad_OAuth_Token');
  if (!token) return text(403, 'Missing_OAuth_Token');
  const accountId = sessionOf(environment, token)?.entry['accountId'];
  return personOfIdentity(environment, accountId) ?? text(403, 'Bad_OAuth_Token');
}

export const identity =
  (environment: Environment): Handler =>
  (context) => {
    const { match, request, url } = context;
    const owner = tokenOwner(context, environment);
    if (!('userId' in owner)) return owner;
    const [, organization = '', user = ''] = match;
    const isOwnOrg = isSameId(owner.organizationId, organization);
    if (/^00D\w{12}(\w{3})?$/.test(organization) && !isOwnOrg) return text(403, 'Wrong_Org');
    const person = environment.people.all.find(
      ({ userId, organizationId }) =>
        organizationId === owner.organizationId && isSameId(userId, user),
    );
    if (!isOwnOrg || !person) return text(404, 'Bad_Id');
    const { scopes } = sessionOf(environment, bearerToken(request) ?? '')!;
    const mayReadOthers = scopes.has('api') || scopes.has('full');
    if (
      !IDENTITY_SCOPES.some((scope) => scopes.has(scope)) ||
      (person !== owner && !mayReadOthers)
    ) {
      return text(403, 'No_Access');
    }
    if (!person.active) return text(404, 'Inactive');
    const version = url.searchParams.get('version') ?? undefined;
    if (version !== undefined && !/^(latest|\d+(\.\d)?)$/.test(version)) {
      return text(406, 'Invalid_Version');
    }
    return { status: 200, body: identityOf(environment, person, person === owner, version) };
  };

export const userInfo =
  (environment: Environment): Handler =>
  (context) => {
    const owner = tokenOwner(context, environment);
    return 'userId' in owner ? { status: 200, body: userInfoOf(environment, owner) } : owner;
  };

/** A Salesforce id may be written with 15 or 18 characters. */
function isSameId(id18: string, given: string): boolean {
  return given === id18 || given === id18.slice(0, 15);
}

function text(status: number, body: string): Reply {
  return { status, body, type: TEXT_TYPE };
}

function photosOf(origin: string, { number }: CompletePerson) {
  return {
    picture: `${origin}/profilephoto/${number}/F`,
    thumbnail: `${origin}/profilephoto/${number}/T`,
  };
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
  const { email, emailVerified } = person;
  return {
    user_id: person.userId,
    organization_id: person.organizationId,
    ...(email !== undefined && { email, email_verified: emailVerified }),
    photos: photosOf(origin, person),
    ...(person.urls && { urls: urlsOf(origin, person, version) }),
    active: person.active,
    user_type: 'STANDARD',
    language: 'en_US',
    locale: person.locale,
    utcOffset: -28_800_000,
    is_app_installed: true,
  };
}

const NO_ADDRESS = { addr_street: null, addr_city: null, addr_state: null, addr_country: null };
const CHANGED_AT = '2026-07-14T00:26:52Z';

function identityOf(
  environment: Environment,
  person: CompletePerson,
  isOwnIdentity: boolean,
  version: string | undefined,
): Record<string, unknown> {
  return {
    id: identityURL(environment, person),
    asserted_user: isOwnIdentity,
    ...sharedOf(environment.origins.org, person, version),
    username: person.username,
    nick_name: person.handle,
    display_name: person.name,
    first_name: person.firstName,
    last_name: person.lastName,
    timezone: person.timeZone,
    ...NO_ADDRESS,
    addr_zip: null,
    mobile_phone: null,
    mobile_phone_verified: false,
    is_lightning_login_user: false,
    status: { created_date: null, body: null },
    last_modified_date: CHANGED_AT,
  };
}

export function userInfoOf(
  environment: Environment,
  person: CompletePerson,
): Record<string, unknown> {
  const origin = environment.origins.org;
  const { firstName } = person;
  return {
    sub: identityURL(environment, person),
    ...sharedOf(origin, person),
    preferred_username: person.username,
    nickname: person.handle,
    name: person.name,
    ...(firstName !== null && { given_name: firstName }),
    family_name: person.lastName,
    zoneinfo: person.timeZone,
    profile: `${origin}/${person.userId}`,
    picture: photosOf(origin, person).picture,
    address: {},
    is_salesforce_integration_user: false,
    updated_at: CHANGED_AT,
  };
}
