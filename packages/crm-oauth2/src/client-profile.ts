/** A profile from the answer of the provider, or from the ID Token alone. */
import { Problem } from './errors/problem';
import type { TokenSet } from './protocol/token-set';
import type { Provider, SlotContext } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { isJsonObject, text } from './values/json';
import type { Json } from './values/json';
import { jsonOf } from './wire/answers';
import type { HttpResponse } from './wire/http';

/**
 * @param answer absent when the ID Token says enough
 * @throws {Problem} `subject_mismatch`, `invalid_profile`
 */
export function profileOf<Options extends object, P extends Profile>(
  provider: Provider<Options, P>,
  context: SlotContext<Options>,
  tokens: TokenSet,
  answer: HttpResponse | undefined,
): P {
  const { claims, accessToken } = tokens;
  const json = answer ? jsonOf(answer, [accessToken]) : ({ ...claims } as Json);
  const source = answer ? 'answer' : 'id_token';
  const raw = answer?.body ?? JSON.stringify(claims ?? {});
  // OpenID Connect Core §5.3.2: the answer must be about the person of the ID Token.
  if (claims && isJsonObject(json) && json.sub !== undefined && json.sub !== claims.sub) {
    throw new Problem('subject_mismatch', 'the profile is of another person');
  }
  const profile = provider.mapProfile(json, { ...context, raw, source, tokens, claims });
  // Applications key accounts by `id`: without one, all people would share one account.
  if (text(profile.id) === undefined) {
    throw new Problem('invalid_profile', 'the profile has no id');
  }
  return profile;
}
