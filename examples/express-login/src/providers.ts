/** The names of the three providers. */
export const TITLES = {
  salesloft: 'Salesloft',
  salesos: 'SalesOS',
  salesforce: 'Salesforce',
} as const;

export type ProviderName = keyof typeof TITLES;

export const PROVIDERS = Object.keys(TITLES) as ProviderName[];

export function isProvider(name: unknown): name is ProviderName {
  return typeof name === 'string' && Object.hasOwn(TITLES, name);
}
