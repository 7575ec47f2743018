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

/** A person with nothing left to default. */
export interface Resident extends Required<Omit<Person, 'email'>> {
  /** Undefined: no e-mail address. */
  email: string | undefined;
  /** A short name made of the e-mail's alphabet. */
  handle: string;
  /** Has the shape of an e-mail address, and is none. */
  username: string;
  number: number;
  guid: string;
  hex: string;
  organizationId: string;
  userId: string;
}

/** The people of one emulator, by the identifiers of each provider. */
export class People {
  readonly all: readonly Resident[];

  constructor(people: readonly Person[] = PEOPLE) {
    this.all = people.map(settle);
    const [first] = this.all;
    if (!first) throw new TypeError('people: name at least one person');
  }

  /** Whoever acts for the application itself: the first administrator. */
  get administrator(): Resident {
    return this.all.find(({ admin }) => admin) ?? (this.all[0] as Resident);
  }

  byNumber(number: number): Resident | undefined {
    return this.all.find((person) => person.number === number);
  }

  /** Finds whom a `login_hint` means: an e-mail address, or a name. */
  byHint(hint: string | undefined): Resident | undefined {
    const wanted = hint?.trim().toLowerCase();
    if (!wanted) return undefined;
    return this.all.find(({ email, handle, name, username }) =>
      [email, handle, name, `${handle}@example.com`, username].some(
        (known) => known?.toLowerCase() === wanted,
      ),
    );
  }
}

function settle(person: Person, index: number): Resident {
  const { name } = person;
  const words = name.split(' ');
  const handle = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '.');
  const digest = createHash('sha256').update(`${index} ${name}`).digest('hex');
  const number = 48_200 + index + 1;
  return {
    name,
    firstName: person.firstName === undefined ? (words[0] ?? name) : person.firstName,
    lastName: person.lastName ?? words.slice(1).join(' '),
    email: person.email === null ? undefined : (person.email ?? `${handle}@example.com`),
    emailVerified: person.emailVerified ?? true,
    active: person.active ?? true,
    admin: person.admin ?? false,
    jobRole: person.jobRole ?? 'Sales',
    timeZone: person.timeZone ?? 'America/New_York',
    locale: person.locale ?? 'en_US',
    urls: person.urls ?? true,
    handle,
    username: `${handle}@emulator.invalid`,
    number,
    guid: digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'),
    hex: digest.slice(0, 24),
    organizationId: withCheckSuffix('00DLocalEmulatr'),
    userId: withCheckSuffix(`005Le${String(number).padStart(10, '0')}`),
  };
}

/**
 * A 15-character Salesforce id made 18: one character per block of five, which says where the capital
 * letters are.
 */
export function withCheckSuffix(id15: string): string {
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
