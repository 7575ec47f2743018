/** Names a type of each door, so that a compiler reads all declarations. */
import type { UserTokensOptions } from 'crm-oauth2';
import type { LoginHandlerOptions } from 'crm-oauth2/passport';
import type { ProviderDescription } from 'crm-oauth2/provider';
import type * as testing from 'crm-oauth2/testing';
import type { EmulatorOptions } from 'crm-emulator';

export interface Doors {
  tokens: UserTokensOptions;
  handler: LoginHandlerOptions<string>;
  provider: ProviderDescription;
  testing: typeof testing;
  emulator: EmulatorOptions;
}
