/** The section "Tenants" of docs/performance.md, which `npm run bench` copies from figures.md. */
import os from 'node:os';
import { join } from 'node:path';
import { describeCores } from '../cores';
import type { Cores } from '../cores';
import type { Spread } from '../login/statistics';
import { BENCH } from '../places';
import { format, grouped, range, table, writeSection } from '../tables';
import type { Kind, ProviderName } from './app';

const FIGURES = join(BENCH, 'tenants', 'figures.md');
const NAMES: Record<ProviderName, string> = {
  salesloft: 'Salesloft',
  salesos: 'SalesOS',
  salesforce: 'Salesforce',
};
const KINDS: Record<Kind, string> = {
  single: 'client',
  tenants: 'tenants',
  environments: 'login hosts',
};

/** Logins that were checked, and what was read after some of them. */
export interface Checked {
  title: string;
  warmUp: number;
  step: number;
  refused: number;
  gauges: { heap: number; open: number }[];
}

export interface Compared {
  provider: ProviderName;
  kind: Kind;
  count: number;
  one: Spread;
  many: Spread;
  ratio: Spread;
}

export interface Figures {
  checked: Checked[];
  compared: Compared[];
  loadBefore: number;
  minutes: number;
  cores: Cores | undefined;
}

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

export async function compose(figures: Figures): Promise<string> {
  const { checked, compared, loadBefore, minutes, cores } = figures;
  const { warmUp, step } = checked[0] ?? { warmUp: 0, step: 0 };
  const text = `## Tenants

One strategy serves many tenants, each with a client id and a secret of its own, over one callback route; or many login
hosts of Salesforce, which each login chooses. \`npm run bench:tenants\` measured this on ${new Date().toISOString().slice(0, 10)} in ${minutes.toFixed(1)} minutes,
over loopback http, on ${os.cpus().length} cores (${describeCores(cores)}) with Node ${process.version.slice(1)}; load before it began ${loadBefore.toFixed(1)}.

Each browser has two logins of different tenants under way, and they come back in mixed order. The provider refuses a
code that comes with another client or secret, or at another origin than it was issued for; the page must name the tenant
and the person. The first login that is mixed up ends the run with an error: none was. Every fiftieth answer is tried in
another browser first, and is refused. The heap, in MiB after
garbage collection, and the open connections to the provider are read after ${grouped(warmUp)} logins, and four times more,
after ${grouped(step)} each. The heap of every second reading is comparable: the table of recent logins drops 10 000 at a time.

${table(
  ['One strategy for', 'logins', 'foreign answers refused', 'heap', 'connections'],
  checked.map(({ title, refused, gauges }) => [
    title,
    grouped(warmUp + 4 * step),
    refused,
    gauges.map(({ heap }) => mib(heap)).join(' · '),
    gauges.map(({ open }) => open).join(' · '),
  ]),
)}

The CPU of a whole login, with Express and its session, in microseconds of the app's process, against a strategy for one
client in the same process, in turns (medians and quartiles; the goal is a ratio of at most 1.10). A busy machine widens
the quartiles:

${table(
  ['Provider', 'one strategy for', 'one client', 'many', 'ratio'],
  compared.map(({ provider, kind, count, one, many, ratio }) => [
    NAMES[provider],
    `${grouped(count)} ${KINDS[kind]}`,
    range(one, 0),
    range(many, 0),
    range(ratio),
  ]),
)}

The clients of the last thousand tenants are kept. With 10 000 tenants in turn, each login makes its client anew. At most
256 idle connections stay open: with 500 login hosts that are asked strictly in turn, each login opens its connections anew.
`;
  return await format(text);
}

/** Replaces the section in the page. */
export const write = (text: string): void => writeSection('Tenants', text, FIGURES);
