/** Plans the port of each part of the emulator: from the options, or from a state that was kept. */
import type { EmulatorOptions, ProviderName, SalesforceOriginChoices } from './types.js';

const LAST_PORT = 65_535;
export const LAST_FIRST_PORT = 65_533;
const SALESFORCE_PARTS = ['login', 'org', 'issuer', 'sandbox', 'myDomain'] as const;
const EACH: SalesforceOriginChoices = { org: true, issuer: 'org', sandbox: true };

/** A provider, or a part of Salesforce; `login` is where people log in to it. */
export type Part = 'salesloft' | 'salesos' | (typeof SALESFORCE_PARTS)[number];

/** The ports to listen on; 0 is any free one. A part without a port shares the origin of another. */
export type Ports = Partial<Record<Part, number>>;

/** @param kept the ports of the state, which tokens and identities name */
export function portsOf(
  { port = 0, origins, state }: EmulatorOptions,
  names: readonly ProviderName[],
  kept: Readonly<Record<string, number>>,
): Ports {
  if (!Number.isInteger(port) || port < 0 || port > LAST_FIRST_PORT) {
    throw new TypeError(`port: must be a whole number from 0 to ${LAST_FIRST_PORT}`);
  }
  const asked = checked(origins === true ? EACH : origins || {});
  const ports: Ports = {};
  let next = port;
  for (const part of ['salesloft', 'salesos', ...SALESFORCE_PARTS] as const) {
    const isProvider = part === 'salesloft' || part === 'salesos';
    if (!names.includes(isProvider ? part : 'salesforce')) continue;
    const choice = isProvider ? true : part === 'login' ? asked.login || true : asked[part];
    if (!choice || choice === 'org') continue;
    const own = typeof choice === 'number' ? choice : port === 0 ? 0 : next++;
    if (own !== 0 && kept[part] !== undefined && kept[part] !== own) {
      throw new TypeError(
        `state: in ${state} the port of ${part} is ${kept[part]}, not ${own}. Leave the ports out, or remove the file`,
      );
    }
    ports[part] = own || (kept[part] ?? 0);
  }
  return ports;
}

function checked(asked: SalesforceOriginChoices): SalesforceOriginChoices {
  for (const [part, choice] of Object.entries(asked)) {
    const isPort = Number.isInteger(choice) && Number(choice) >= 0 && Number(choice) <= LAST_PORT;
    if (!SALESFORCE_PARTS.some((known) => known === part)) {
      throw new TypeError(`origins.${part}: is unknown; known are ${SALESFORCE_PARTS.join(', ')}`);
    }
    const isOrg = part === 'issuer' && choice === 'org';
    if (!isPort && !isOrg && choice !== undefined && typeof choice !== 'boolean') {
      throw new TypeError(`origins.${part}: must be true, false or a port`);
    }
  }
  return asked;
}

/** Tells whether the issuer of Salesforce's ID Tokens is its org. */
export function isIssuerOrg({ origins }: EmulatorOptions): boolean {
  return origins === true || (typeof origins === 'object' && origins.issuer === 'org');
}
