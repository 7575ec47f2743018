/** A tenant of SalesOS, and its organizations: who is a member, who is invited, and the claims about them. */
import { randomBytes } from 'node:crypto';
import type { Environment } from '../dialect.js';
import type { KeyRing } from '../keys.js';
import type { CompletePerson, People } from '../people.js';
import type { EmulatorOptions, Invitation, Organization } from '../types.js';
import type { Params, Refusal } from '../reasons.js';

/** The parts that the endpoints of SalesOS, an Auth0 tenant, share. */
export interface Tenant extends Environment {
  /** Auth0's issuers end in a slash. */
  issuer: string;
  keys: KeyRing;
  people: People;
  organizations: Organizations;
}

const ORGANIZATIONS: readonly Organization[] = [
  { id: 'org_Local0Emulator00', name: 'harbour-bakery' },
  { id: 'org_Other0Emulator00', name: 'pine-street-cycles' },
];

function refusal(error: 'invalid_request' | 'access_denied', error_description: string): Refusal {
  return { error, error_description };
}

export class Organizations {
  readonly all: readonly Organization[];
  readonly #people: People;
  readonly #hasNames: boolean;
  readonly #members = new Map<Organization, Set<CompletePerson>>();
  readonly #invitations = new Map<string, { person: CompletePerson; organization: Organization }>();

  constructor(
    { organizations = ORGANIZATIONS, organizationNames = true }: EmulatorOptions,
    people: People,
  ) {
    this.all = organizations.map(({ id, name }) => ({ id, name }));
    this.#people = people;
    this.#hasNames = organizationNames;
    for (const one of this.all) {
      if (!/^org_\w+$/.test(one.id) || !/^(?!org_)[a-z0-9_-]+$/.test(one.name)) {
        throw new TypeError('organizations: an id begins with org_, a name is in lower case');
      }
      this.#members.set(one, new Set());
    }
    for (const person of people.all) {
      const own = person.organizations?.map((name) => this.#known(name)) ?? this.all.slice(0, 1);
      for (const one of own) this.#members.get(one)!.add(person);
    }
  }

  /** Finds an organization by what a request says: its id or, where the tenant allows it, its name. */
  find(asked: string | undefined): Organization | undefined {
    return this.all.find(({ id, name }) => id === asked || (this.#hasNames && name === asked));
  }

  invite(person: string, organization: string): Invitation {
    const invited = this.#people.byHint(person);
    if (!invited) throw new TypeError(`invite: there is no person "${person}"`);
    const known = this.#known(organization);
    const invitation = randomBytes(24).toString('base64url');
    this.#invitations.set(invitation, { person: invited, organization: known });
    return { invitation, organization: known.id, organization_name: known.name };
  }

  checkRequest({ organization, invitation }: Params): Refusal | undefined {
    if (!organization)
      return invitation
        ? refusal('invalid_request', 'parameter organization is required')
        : undefined;
    const known = this.find(organization);
    if (!known) return refusal('invalid_request', 'parameter organization is invalid');
    return !invitation || this.#invitations.get(invitation)?.organization === known
      ? undefined
      : refusal('invalid_request', 'invitation not found or already used');
  }

  /** Refuses a person who is not a member. An invitation makes its person one; any sign-in uses it up. */
  admit(person: CompletePerson, { organization, invitation }: Params): Refusal | undefined {
    const known = this.find(organization);
    if (!known) return undefined;
    const members = this.#members.get(known)!;
    if (invitation) {
      const invited = this.#invitations.get(invitation)?.person;
      this.#invitations.delete(invitation);
      if (invited !== person)
        return refusal(
          'access_denied',
          'the specified account is not allowed to accept the current invitation',
        );
      members.add(person);
    }
    if (members.has(person)) return undefined;
    return refusal(
      'access_denied',
      `user ${person.subject} is not part of the ${known.id} organization`,
    );
  }

  /** The claims of the organization that a person signed in to. */
  claimsOf(organizationID: unknown): Record<string, string> {
    const known = this.all.find(({ id }) => id === organizationID);
    return known ? { org_id: known.id, ...(this.#hasNames && { org_name: known.name }) } : {};
  }

  #known(asked: string): Organization {
    const known = this.all.find(({ id, name }) => id === asked || name === asked);
    if (!known) throw new TypeError(`organizations: there is no organization "${asked}"`);
    return known;
  }
}
