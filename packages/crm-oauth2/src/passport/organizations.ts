/** The organizations whose people an application admits. */
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { ownFields } from '../values/json';
import { requireStrings } from '../values/options';

/**
 * The entries in the form in which the provider names organizations.
 *
 * @throws {TypeError} for an entry that no organization can have, for an empty list, which would admit no
 * one, and where the provider has no organizations
 */
export function judgeOrganizations(
  owner: string,
  provider: Provider,
  entries: unknown,
): readonly string[] | undefined {
  if (entries === undefined) return undefined;
  const name = 'allowedOrganizations';
  const { readOrganization, organizationsOf } = provider;
  if (!readOrganization || !organizationsOf) {
    throw new TypeError(`${owner}: option "${name}" needs organizations, which it does not have`);
  }
  const texts = requireStrings(owner, name, entries);
  if (texts.length === 0) {
    throw new TypeError(`${owner}: option "${name}" is empty; leave it out to admit everyone`);
  }
  return texts.map((entry) => {
    const read = readOrganization(entry);
    if (read !== undefined) return read;
    throw new TypeError(
      `${owner}: option "${name}" has "${quote(entry)}", which names no organization`,
    );
  });
}

/** @throws {Problem} `organization_not_allowed`, which names the organization */
export function requireOrganization(
  { organizationsOf }: Provider,
  allowed: readonly string[] | undefined,
  login: { tokens: TokenSet; profile?: Profile },
): void {
  if (allowed === undefined) return;
  const names = organizationsOf?.(ownLogin(login)) ?? [];
  if (names.some((name) => allowed.includes(name))) return;
  const which =
    names.length > 0 ? `of the organization ${quote(names.join(', '))}` : 'of no organization';
  throw new Problem('organization_not_allowed', `the person is ${which}`, { refusal: 403 });
}

/** A polluted `Object.prototype` must put no one into an organization. */
function ownLogin({ tokens, profile }: { tokens: TokenSet; profile?: Profile }) {
  const { claims } = tokens;
  const read = {
    response: ownFields(tokens.response),
    ...(claims && { claims: ownFields(claims) }),
  };
  // A hook may return an object of a class, whose fields are read by its getters.
  const isPlain = profile && Object.getPrototypeOf(profile) === Object.prototype;
  const known = isPlain ? ownFields(profile) : profile;
  return { tokens: ownFields({ ...tokens, ...read }), ...(known && { profile: known }) };
}
