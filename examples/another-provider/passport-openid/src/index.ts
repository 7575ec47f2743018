/** Log in with Acme ID, an OpenID provider that its own discovery document describes. */
import { strategyFor } from 'crm-oauth2/passport';
import { defineProvider, discover } from 'crm-oauth2/provider';
import type { Endpoints } from 'crm-oauth2/provider';

/** The facts that a discovery document does not decide for the application. */
export const acmeAt = (endpoints: Endpoints) =>
  defineProvider({
    name: 'acme',
    title: 'Acme ID',
    endpoints: () => endpoints,
    scope: ['openid', 'profile', 'email'],
    clientAuthentication: 'client_secret_basic',
    idToken: 'required',
    idTokenAlgorithms: ['ES256'],
  });

/** The strategy of the Acme ID at `issuer`. Call it once, when the application starts. */
export const acmeStrategy = async (issuer: string) => strategyFor(acmeAt(await discover(issuer)));
