/** Reads the option `origins`: which parts of Salesforce get an origin of their own, and at which port. */
import type { EmulatorOptions, SalesforceOriginChoices } from './types.js';

const LAST_PORT = 65_535;
const PARTS = ['login', 'org', 'issuer', 'sandbox', 'myDomain'];
const EACH: SalesforceOriginChoices = { org: true, issuer: 'org', sandbox: true };

/** The ports to listen on; 0 is any free one. A part without a port shares the origin of another. */
export interface SalesforcePorts {
  login: number;
  org?: number | undefined;
  issuer?: number | 'org' | undefined;
  sandbox?: number | undefined;
  myDomain?: number | undefined;
}

/** @param free returns the next port for a part that is given none */
export function salesforcePorts({ origins }: EmulatorOptions, free: () => number): SalesforcePorts {
  const asked = origins === true ? EACH : origins || {};
  for (const [part, choice] of Object.entries(asked)) {
    const isPort = Number.isInteger(choice) && Number(choice) >= 0 && Number(choice) <= LAST_PORT;
    if (!PARTS.includes(part)) {
      throw new TypeError(`origins.${part}: is unknown; known are ${PARTS.join(', ')}`);
    }
    const isOrg = part === 'issuer' && choice === 'org';
    if (!isPort && !isOrg && choice !== undefined && typeof choice !== 'boolean') {
      throw new TypeError(`origins.${part}: must be true, false or a port`);
    }
  }
  const portOf = (choice: boolean | number | undefined) =>
    typeof choice === 'number' ? choice : choice ? free() : undefined;
  return {
    login: portOf(asked.login || true)!,
    org: portOf(asked.org),
    issuer: asked.issuer === 'org' ? 'org' : portOf(asked.issuer),
    sandbox: portOf(asked.sandbox),
    myDomain: portOf(asked.myDomain),
  };
}
