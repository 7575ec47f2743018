/** The tokens of a response as a client returns them: checked against their ID Token, with the person's subject. */
import type { ClientSettings } from './client-options';
import type { ClientRequests } from './client-requests';
import { Problem } from './errors/problem';
import { createIdTokenVerifier } from './protocol/id-token';
import type { IdTokenVerifier } from './protocol/id-token';
import type { Environment, LoginAttempt } from './protocol/login-attempt';
import type { TokenSet } from './protocol/token-set';
import type { Provider, SlotContext } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { ownFields, text, withoutUndefined } from './values/json';
import type { Deadline } from './wire/deadline';

export class ClientTokens<Options extends object, P extends Profile> {
  readonly #provider: Provider<Options, P>;
  readonly #context: SlotContext<Options>;
  readonly #requests: ClientRequests<Options, P>;
  readonly #environment: Environment | undefined;
  readonly #verifyIdToken: IdTokenVerifier | undefined;

  constructor(
    provider: Provider<Options, P>,
    { context, clockToleranceSeconds }: ClientSettings<Options>,
    requests: ClientRequests<Options, P>,
    environment: Environment | undefined,
  ) {
    this.#provider = provider;
    this.#context = context;
    this.#requests = requests;
    this.#environment = environment;
    if (context.endpoints.jwksUri !== undefined && provider.idToken !== 'none') {
      const { idTokenAlgorithms: algorithms } = provider;
      this.#verifyIdToken = createIdTokenVerifier({ algorithms, clockToleranceSeconds });
    }
  }

  /**
   * Verifies the ID Token of a token response, and adds its claims. It may be missing only where the
   * provider need not send one, and the login asked nothing that it must answer.
   */
  withClaims(
    tokens: TokenSet,
    deadline: Deadline,
    login?: LoginAttempt,
  ): TokenSet | Promise<TokenSet> {
    const provider = this.#provider;
    const { jwksUri, tokenEndpoint } = this.#context.endpoints;
    const { clientID } = this.#context.options;
    const verify = this.#verifyIdToken;
    const { idToken, accessToken } = tokens;
    const isNeeded =
      login !== undefined &&
      (provider.idToken === 'required' || login.maxAge !== undefined || login.asked !== undefined);
    if (!isNeeded && (idToken === undefined || verify === undefined)) {
      return this.complete(tokens);
    }
    return this.#requests.at('id_token', jwksUri ?? tokenEndpoint, async (place) => {
      if (idToken === undefined || verify === undefined || jwksUri === undefined) {
        throw new Problem('id_token_missing', 'the token response has no ID Token');
      }
      const issuers = this.issuersOf(tokens);
      const keysOf = (issuer?: string) => {
        const own = issuer && provider.keysOf?.(issuer, this.#context);
        if (own !== undefined && own !== '') place.host = this.#requests.url(own).host;
        return this.#requests.keysAt(own || jwksUri);
      };
      const expected = { issuers, keysOf, clientID, accessToken, login };
      const claims = await deadline.wait(verify(idToken, expected));
      if (login?.asked) provider.checkIdToken?.(ownFields(claims), ownFields(login.asked));
      return this.complete(ownFields(tokens, { claims }));
    });
  }

  /** The issuers that these tokens may be of. */
  issuersOf({ response }: TokenSet): readonly string[] {
    const { issuer } = this.#context.endpoints;
    const own = this.#provider.idTokenIssuers?.(response, this.#context);
    return own ?? (issuer === undefined ? [] : [issuer]);
  }

  /** @param tokens of one answer, which has neither `subject` nor `sid` */
  complete(tokens: TokenSet): TokenSet {
    const environment = this.#environment;
    const own = ownFields(tokens);
    const subject = this.#provider.subject(own);
    const sid = text(own.claims?.sid);
    return Object.freeze({ ...tokens, ...withoutUndefined({ subject, sid, environment }) });
  }
}
