/** Passport strategy `hubspot`: log in with HubSpot. */
import { strategyFor } from 'crm-oauth2/passport';
import { hubspot } from './provider';

export * from './provider';
export type * from './profile';

export class HubSpotStrategy extends strategyFor(hubspot) {}
