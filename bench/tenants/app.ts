/**
 * The app that is measured: one strategy for one tenant, others for many tenants or environments, side by
 * side in one process. Each has one callback route.
 */
import express from 'express';
import type { Request } from 'express';
import passport from 'passport';
import { Strategy as SalesforceStrategy } from 'passport-salesforce-oauth2';
import { Strategy as SalesloftStrategy } from 'passport-salesloft';
import { Strategy as SalesosStrategy } from 'passport-salesos';
import { SessionStore, cpu, createApp, heap, idOf, listen, passOn, show } from '../login/app-parts';
import { serve } from '../login/rpc';

export type ProviderName = 'salesloft' | 'salesos' | 'salesforce';
export type Kind = 'single' | 'tenants' | 'environments';

export interface Mounted {
  name: string;
  provider: ProviderName;
  kind: Kind;
  /** Of tenants, or of environments. */
  count: number;
}

const app = createApp(new SessionStore());
const mounts = new Map<string, express.Router>();
passOn(app, (name) => mounts.get(name));
const listening = listen(app);

const clientOf = (index: number) => {
  const clientID = `client-${index}`;
  return { clientID, clientSecret: `the secret of ${clientID}` };
};

/** The number of the tenant, or of the environment, is the part of the path before `/login`. */
const indexOf = (req: { url?: string }) => Number(req.url?.split('/')[1]);

/** New objects, as from a database. */
const tenantOf = (count: number) => ({
  tenant: async (req: Request, boundKey?: string) => {
    const index = boundKey === undefined ? indexOf(req) : Number(boundKey);
    const tenant = { key: String(index), ...clientOf(index) };
    return await Promise.resolve(index < count ? tenant : undefined);
  },
});

interface Login {
  tokens: { environment?: { loginURL?: string } };
  profile: { id: string };
  tenant?: string;
}

/** Whose login it was, as the page will say it. */
const verify = ({ tokens, profile, tenant }: Login) => ({
  id: `${tenant ?? tokens.environment?.loginURL ?? '-'} ${profile.id}`,
});

function strategyOf(
  { name, provider, kind, count }: Mounted,
  origins: string[],
  port: number,
): passport.Strategy {
  const [origin = ''] = origins;
  const common = { callbackURL: `http://127.0.0.1:${port}/${name}/callback`, verify };
  const who = kind === 'tenants' ? tenantOf(count) : clientOf(0);
  if (provider === 'salesos') {
    return new SalesosStrategy({ ...common, ...who, issuer: `${origin}/` });
  }
  if (provider === 'salesloft') {
    return new SalesloftStrategy({
      ...common,
      ...who,
      authorizationURL: `${origin}/oauth/authorize`,
      tokenURL: `${origin}/oauth/token`,
      profileURL: `${origin}/v2/me.json`,
    });
  }
  if (kind !== 'environments')
    return new SalesforceStrategy({ ...common, ...who, loginURL: origin });
  return new SalesforceStrategy({
    ...common,
    ...clientOf(0),
    allowedLoginURLs: origins,
    loginURL: (req: Request) => origins[indexOf(req)],
  });
}

const handlers = {
  async mount({ origins, ...mounted }: Mounted & { origins: string[] }) {
    const { name } = mounted;
    const port = await listening;
    passport.use(name, strategyOf(mounted, origins, port));
    const login = passport.authenticate(name) as express.RequestHandler;
    const router = express.Router();
    router.get('/callback', login, (req, res) => show(res, idOf(req.user)));
    router.get('/:index/login', login);
    mounts.set(name, router);
    return port;
  },
  cpu,
  heap,
};

export type TenantHandlers = typeof handlers;

serve(handlers);
