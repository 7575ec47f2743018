/** Door `./testing`: prove a token store, or a provider, with any test runner. */
export { completeLogin, rejection } from './logins';
export { providerChecks } from './provider-checks';
export type { ProviderCheck, ProviderSample } from './provider-checks';
export { readError } from './read-error';
export type { ErrorReading } from './read-error';
export { tokenStoreChecks } from './token-store-checks';
export type { TokenStoreCheck } from './token-store-checks';
