/** The names of the environment variables of a provider, and the options that they make. */
import { judgeClientOptions } from '../client-options';
import type { ClientOptions, ClientSettings } from '../client-options';
import type { Provider } from '../provider/description';
import { nearestName } from '../values/options';
import type { OptionKind } from '../values/options';
import { findingsOf, remedyAlone } from './finding';
import type { Finding } from './finding';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of every provider that a variable can give. */
const COMMON: Readonly<Record<string, OptionKind>> = {
  clientID: 'string',
  clientSecret: 'string',
  callbackURL: 'string',
  scope: 'string',
  offline: 'boolean',
};

/** `acme-id` → `ACME_ID` */
export function prefixOf(providerName: string): string {
  return providerName.toUpperCase().replaceAll(/[^A-Z\d]+/g, '_');
}

/** `ACME`, `loginURL` → `ACME_LOGIN_URL` */
export function variableOf(prefix: string, option: string): string {
  return `${prefix}_${option.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}`;
}

/** The options of a provider, each with its variable and its kind. */
export function variablesOf(
  provider: Provider,
  prefix: string,
): { option: string; variable: string; kind: OptionKind }[] {
  const kinds = { ...COMMON, ...(provider.options as Record<string, OptionKind>) };
  return Object.entries(kinds).map(([option, kind]) => ({
    option,
    variable: variableOf(prefix, option),
    kind,
  }));
}

/** The set-up as it was read: judged options, and what is wrong with them. */
export interface SetUp {
  provider: Provider;
  prefix: string;
  options: ClientOptions;
  /** Absent where an option is wrong. */
  settings?: ClientSettings<object> | undefined;
  callbackURL: string | undefined;
  /** True when the client id is there, and the secret too, unless the app has none. */
  hasClient: boolean;
  findings: Finding[];
}

const { right, wrong, note } = findingsOf('variables');

/** Stands for a client id that is missing, so that the endpoints can be asked all the same. */
const NO_CLIENT = 'no-client-id';

/**
 * Reads the options of a provider from variables. A variable that is empty counts as not set.
 *
 * @param isPublic the app has no secret
 */
export function readSetUp(
  provider: Provider,
  prefix: string,
  environment: Environment,
  isPublic: boolean,
): SetUp {
  const options: Record<string, unknown> = {};
  const findings: Finding[] = [];
  for (const { option, variable, kind } of variablesOf(provider, prefix)) {
    const text = environment[variable] ?? '';
    if (text === '') continue;
    const value = valueOf(text, kind);
    if (value === undefined) findings.push(wrong(`${variable} must be true or false.`));
    else options[option] = value;
    if (/^(["'`]).*\1$/.test(text)) {
      const mend = 'Remove the quotation marks: some readers of .env files keep them.';
      findings.push(wrong(`${variable} has quotation marks around its value.`, { mend }));
    }
  }
  const { callbackURL, ...own } = options as { callbackURL?: string };
  const needed = isPublic || provider.clientAuthentication === 'none' ? [] : ['clientSecret'];
  const missing = ['clientID', ...needed].filter((name) => !(name in own));
  findings.push(...aboutClient(provider, prefix, missing, needed, environment));
  const judged = judge(provider, prefix, { clientID: NO_CLIENT, ...own });
  findings.push(...judged.findings, ...misspelt(provider, prefix, environment));
  return {
    provider,
    prefix,
    options: { clientID: NO_CLIENT, ...own },
    settings: judged.settings,
    callbackURL,
    hasClient: missing.length === 0,
    findings,
  };
}

function valueOf(text: string, kind: OptionKind): unknown {
  if (kind === 'boolean') return { true: true, 1: true, false: false, 0: false }[text];
  return kind === 'strings' ? text.split(/[\s,]+/).filter(Boolean) : text;
}

function aboutClient(
  { title, hints }: Provider,
  prefix: string,
  missing: readonly string[],
  needed: readonly string[],
  environment: Environment,
): Finding[] {
  const names = ['clientID', ...needed].map((name) => variableOf(prefix, name));
  if (missing.length === 0) {
    const [id = '', secret] = names;
    return [right(secret === undefined ? `${id} is set.` : `${id} and ${secret} are set.`)];
  }
  const where = remedyAlone(hints.invalid_client) ?? `Copy it from the app at ${title}.`;
  return missing.map((name) => {
    const variable = variableOf(prefix, name);
    const empty = environment[variable] === '' ? 'has no value' : 'is not set';
    const isSecret = name === 'clientSecret';
    const or = isSecret ? ' An app without a secret is checked with --public.' : '';
    const mend = `Set it in the environment, or in the file of --env-file. ${where}${or}`;
    return wrong(`${variable} ${empty}.`, { mend });
  });
}

/** Variables that begin like those of the provider, and are none of them. */
function misspelt(provider: Provider, prefix: string, environment: Environment): Finding[] {
  const known = variablesOf(provider, prefix).map(({ variable }) => variable);
  const free = known.filter((variable) => !environment[variable]);
  return Object.keys(environment)
    .filter((name) => name.startsWith(`${prefix}_`) && !known.includes(name))
    .flatMap((name) => {
      const meant = nearestName(name, free);
      if (meant === undefined) return [];
      return [note(`${name} is set, and is not read. Did you mean ${meant}?`)];
    });
}

function judge(
  provider: Provider,
  prefix: string,
  options: ClientOptions,
): { settings?: ClientSettings<object>; findings: Finding[] } {
  try {
    return { settings: judgeClientOptions(provider, options), findings: [] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // `Acme: option "tokenURL" must be https` → `ACME_TOKEN_URL must be https`
    const words = error.message
      .replace(`${provider.title}: `, '')
      .replace(/^option "(\w+)/, (_, name: string) => variableOf(prefix, name))
      .replace(/^(\w+)"/, '$1');
    return { findings: [wrong(`${words}.`)] };
  }
}

/** A remedy names options; the person who reads it here sets variables. */
export function withVariables(text: string, { provider, prefix }: SetUp): string {
  const variables = new Map(
    variablesOf(provider, prefix).map(({ option, variable }) => [option, variable]),
  );
  return text.replaceAll(/`(\w+)`/g, (quoted, name: string) => {
    const variable = variables.get(name);
    return variable === undefined ? quoted : `${variable} (${quoted})`;
  });
}
