/** The people who can sign in, with the identifiers each provider gives them. */
import { createHash } from 'node:crypto';
import type { Person } from './types.js';

/** Invented people; every address is under example.com (RFC 2606). The first is the administrator. */
export const PEOPLE: readonly Person[] = [
  { name: 'Marta Quill', admin: true, jobRole: 'Sales Operations', timeZone: 'Europe/Lisbon' },
  {
    name: 'Zoë Ångström',
    jobRole: 'Account Executive',
    timeZone: 'Europe/Stockholm',
    emailVerified: false,
  },
  { name: 'Tobias Fenn', email: null, urls: false, jobRole: 'Contractor' },
  { name: 'Suri', firstName: null, lastName: 'Suri', jobRole: 'Sales Development' },
  { name: 'Dario Plum', active: false, jobRole: 'Former colleague' },
];

const DEFAULTS = {
  emailVerified: true,
  active: true,
  admin: false,
  jobRole: 'Sales',
  timeZone: 'America/New_York',
  locale: 'en_US',
  urls: true,
  teamId: 111_800,
  organizationId: '00DLocalEmulatr',
};

/** A person with every field set, and with the identifiers of the three providers. */
export interface CompletePerson extends Required<Omit<Person, 'email' | 'organizations'>> {
  /** The account id inside the engine, and what the provider calls this person in its tokens. */
  subject: string;
  /** Undefined when the person has none. */
  email: string | undefined;
  /** The name in ASCII letters, as in the e-mail address: `zoe.angstrom`. */
  handle: string;
  /** Salesforce: shaped like an e-mail address, but receives no mail. */
  username: string;
  /** Salesloft's id of the user. */
  number: number;
  /** Salesloft's other id of the user. */
  guid: string;
  /** The last part of the SalesOS subject. */
  hex: string;
  /** SalesOS: undefined when the option `people` says nothing. */
  organizations?: readonly string[] | undefined;
  /** Salesforce ids of 18 characters. */
  organizationId: string;
  userId: string;
}

/** The part that is the same at each provider. */
type Identifiers = Omit<CompletePerson, 'subject'>;

/** The people of one provider. */
export class People {
  readonly all: readonly CompletePerson[];

  /** @param organization the Salesforce org of all of them, whatever theirs is elsewhere */
  constructor(
    people: readonly Person[] = PEOPLE,
    subjectOf: (person: Identifiers) => string,
    organization?: string,
  ) {
    if (people.length === 0) throw new TypeError('people: the list must name at least one person');
    this.all = people.map((person, index) => {
      const identified = identify(person, index, organization);
      return { ...identified, subject: subjectOf(identified) };
    });
  }

  /** Salesloft's client credentials act as this person: the first administrator. */
  get administrator(): CompletePerson {
    return this.all.find(({ admin }) => admin) ?? this.all[0]!;
  }

  byNumber(number: number): CompletePerson | undefined {
    return this.all.find((person) => person.number === number);
  }

  bySubject(subject: unknown): CompletePerson | undefined {
    return this.all.find((person) => person.subject === subject);
  }

  /** Finds the person of a `login_hint`: an e-mail address or a name. */
  byHint(hint: string | undefined): CompletePerson | undefined {
    const wanted = hint?.trim().toLowerCase();
    if (!wanted) return undefined;
    return this.all.find(({ email, handle, name, username }) =>
      [email, handle, name, `${handle}@example.com`, username].some(
        (candidate) => candidate?.toLowerCase() === wanted,
      ),
    );
  }
}

function identify(person: Person, index: number, organization?: string): Identifiers {
  const given = Object.entries(person).filter(([, value]) => value !== undefined);
  const { name, email, ...fields } = { ...DEFAULTS, ...(Object.fromEntries(given) as Person) };
  const organizationId = organization ?? fields.organizationId;
  if (!/^00D[a-zA-Z0-9]{12}([A-Z0-5]{3})?$/.test(organizationId)) {
    throw new TypeError(`people[${index}].organizationId: must be a Salesforce id, 00D…`);
  }
  const [firstName = name, ...others] = name.split(' ');
  const handle = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '.');
  const digest = createHash('sha256').update(`${index} ${name}`).digest('hex');
  const number = 48_200 + index + 1;
  return {
    firstName,
    lastName: others.join(' '),
    ...fields,
    name,
    email: email === null ? undefined : (email ?? `${handle}@example.com`),
    handle,
    username: `${handle}@emulator.invalid`,
    number,
    guid: digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'),
    hex: digest.slice(0, 24),
    organizationId: withCheckSuffix(organizationId.slice(0, 15)),
    userId: withCheckSuffix(`005Le${String(number).padStart(10, '0')}`),
  };
}

/**
 * Extends a 15-character Salesforce id to 18 characters: each added character encodes which letters of
 * one block of five are capitals.
 */
function withCheckSuffix(id15: string): string {
  const blocks = id15.match(/.{5}/g) ?? [];
  const suffix = blocks.map((block) => {
    const bits = Array.from(block).reduce(
      (sum, character, index) => sum + (/[A-Z]/.test(character) ? 2 ** index : 0),
      0,
    );
    return 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'.charAt(bits);
  });
  return id15 + suffix.join('');
}
