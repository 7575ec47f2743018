/** A small provider whose logins choose a region, and whose people belong to organizations. */
import {
  Problem,
  defineProvider,
  isJsonObject,
  providerCode,
  text,
  withoutUndefined,
} from '../dist/provider/index';
import type { ErrorCode, Profile, Provider, ProviderDescription } from '../dist/provider/index';
import { ORIGIN } from './support';

export interface RegionOptions {
  region?: string;
  zone?: string;
  allowedRegions?: readonly string[];
  tokenURL?: string;
}

export interface RegionProfile extends Profile {
  organization?: string;
}

export const REGION_REFUSED: ErrorCode = providerCode('region_not_allowed');

/** The origin of a region; without one, that of the provider. */
export const originOf = (region?: string) =>
  region === undefined ? ORIGIN : `https://${region}.acme.test`;

/** The word in small letters: two letters, or `r` and a number. */
function judgeRegion(value: unknown, { allowedRegions }: Readonly<RegionOptions>): string {
  const region = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const isAllowed = allowedRegions === undefined || allowedRegions.includes(region);
  if (isAllowed && /^(?:[a-z]{2}|r\d+)$/.test(region)) return region;
  throw new Problem(REGION_REFUSED, 'the region is not allowed', { refusal: 400 });
}

/** All regions publish their keys at one place. */
export const regionsDescription: ProviderDescription<RegionOptions, RegionProfile> = {
  name: 'acme',
  title: 'Acme',
  options: { region: 'string', zone: 'string', allowedRegions: 'strings', tokenURL: 'url' },
  endpoints: ({ region, tokenURL }) => {
    const origin = originOf(region);
    return {
      authorizationEndpoint: `${origin}/authorize`,
      tokenEndpoint: tokenURL ?? `${origin}/token`,
      userInfoEndpoint: `${origin}/me`,
      revocationEndpoint: `${origin}/revoke`,
      introspectionEndpoint: `${origin}/introspect`,
      endSessionEndpoint: `${origin}/logout`,
      jwksUri: `${ORIGIN}/keys`,
      issuer: `${origin}/`,
    };
  },
  scope: ['read'],
  offlineScopes: ['offline', 'refresh'],
  environment: { region: judgeRegion, zone: (value) => String(value) },
  authorizationParameters: {
    loginHint: 'login_hint',
    organization: 'organization',
    invitation: 'invitation',
  },
  mapProfile: (json, { raw }) => {
    const fields = isJsonObject(json) ? json : {};
    return withoutUndefined<RegionProfile>({
      provider: 'acme',
      id: text(fields.sub) ?? '',
      displayName: text(fields.name) ?? '',
      organization: text(fields.organization),
      _raw: raw,
      _json: fields,
    });
  },
  subject: ({ response }) => text(response.sub),
  organizationsOf: ({ tokens, profile }) =>
    [profile?.organization, tokens.response.organization].flatMap((name) => text(name) ?? []),
  readOrganization: (entry) => (/^org-/i.test(entry) ? entry.toLowerCase() : undefined),
};

export const regions = defineProvider(regionsDescription);

export function regionsWith(
  changes: Partial<ProviderDescription<RegionOptions, RegionProfile>>,
): Provider<RegionOptions, RegionProfile> {
  return defineProvider({ ...regionsDescription, ...changes });
}
