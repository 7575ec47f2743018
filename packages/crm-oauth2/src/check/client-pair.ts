/** A made-up code at the token endpoint: the error tells whether client id and secret are right. */
import { judgeClientOptions } from '../client-options';
import { describe } from '../errors/oauth2-error';
import { isProblem } from '../errors/problem';
import type { Problem } from '../errors/problem';
import { authenticateClient } from '../protocol/client-authentication';
import { randomTexts } from '../protocol/pkce';
import {
  buildTokenRequest,
  processTokenError,
  processTokenResponse,
} from '../protocol/token-endpoint';
import { isSuccess } from '../wire/answers';
import type { HttpResponse } from '../wire/http';
import type { Asking } from './asking';
import { failureOf, findingsOf, remedyAlone } from './finding';
import type { Finding } from './finding';
import { MADE_UP_CALLBACK, MADE_UP_CODE, MADE_UP_ID, MADE_UP_SECRET } from './asking';
import { comparable } from './refusal-page';
import type { SetUp } from './variables';

const { right, wrong, unknown } = findingsOf('client');

/** Errors by which a provider refuses the client itself (RFC 6749 §5.2). */
const ABOUT_CLIENT: readonly string[] = ['invalid_client', 'invalid_basic_auth_header'];

/** Errors about the made-up code, which a provider that judges the client first gives to a right one only. */
const ABOUT_CODE: readonly string[] = ['invalid_grant', 'redirect_uri_mismatch'];

type Credentials = { clientID: string; clientSecret?: string | undefined };

/** An answer of the token endpoint; without a problem, it was a token. */
interface Answer {
  problem: Problem | undefined;
  /** To be compared with those of another answer. */
  words: string;
}

/**
 * Sends two requests at most; the second has made-up credentials.
 *
 * @param knowsClient what the authorization endpoint has told about the client id
 */
export async function checkClientPair(
  setUp: SetUp,
  asking: Asking,
  knowsClient?: boolean,
): Promise<Finding> {
  const { provider, options } = setUp;
  const { clientID, clientSecret } = options;
  const { title, hints } = provider;
  const redeem = async (credentials: Credentials) => await redeemMadeUp(setUp, asking, credentials);
  try {
    const { problem, words } = await redeem({ clientID, clientSecret });
    if (problem === undefined) {
      const mend = 'Check the URL options: a provider refuses such a code.';
      return wrong('The token endpoint accepts a made-up code.', { mend });
    }
    const code: string = problem.code;
    if (ABOUT_CODE.includes(code)) return await confirm(setUp, redeem, words);
    const isUnknown = code === 'invalid_client_id';
    if (!isUnknown && !ABOUT_CLIENT.includes(code)) return other(setUp, problem);
    const copy = remedyAlone(hints.invalid_client) ?? `Compare both with the app at ${title}.`;
    if (isUnknown || knowsClient === false) {
      const mend = remedyAlone(hints.invalid_client_id) ?? copy;
      return wrong(`${title} does not know the client id.`, { mend, code });
    }
    if (clientSecret === undefined) {
      const mend =
        'An app with a secret needs it: leave --public out. Otherwise compare the client id.';
      return wrong(`${title} refuses the client id without a secret.`, { mend, code });
    }
    const isKnown =
      knowsClient ??
      (await redeem({ clientID: MADE_UP_ID, clientSecret: MADE_UP_SECRET })).words !== words;
    const says = isKnown
      ? `${title} knows the client id, and the client secret is wrong.`
      : `The client id or the client secret is wrong. ${title} does not say which.`;
    return wrong(says, { mend: copy, code });
  } catch (error) {
    const { words, rest } = failureOf(error);
    return wrong(`The token endpoint cannot be asked: ${words}.`, rest);
  }
}

/** A provider may judge the code first. Then it answers the same to any secret. */
async function confirm(
  { provider: { title }, options: { clientID, clientSecret } }: SetUp,
  redeem: (credentials: Credentials) => Promise<Answer>,
  words: string,
): Promise<Finding> {
  const hasSecret = clientSecret !== undefined;
  const madeUp = hasSecret
    ? { clientID, clientSecret: MADE_UP_SECRET }
    : { clientID: MADE_UP_ID, clientSecret };
  const control = await redeem(madeUp);
  const named = hasSecret ? 'the client id and the client secret' : 'the client id';
  if (control.words !== words) return right(`${title} accepts ${named}.`);
  const thing = hasSecret ? 'client secret' : 'client id';
  const says = `${title} answers the same to a made-up ${thing}, so its answer does not tell whether this one is right.`;
  return unknown(says, { mend: 'A login tells: add --login.' });
}

/** An answer that is about neither the client nor the code, such as that of a firewall. */
function other({ provider }: SetUp, problem: Problem): Finding {
  const { words, rest } = failureOf(describe(problem, { provider, stage: 'token' }));
  return wrong(`The token endpoint does not answer as expected: ${words}.`, rest);
}

async function redeemMadeUp(
  { provider, options, callbackURL }: SetUp,
  asking: Asking,
  credentials: Credentials,
): Promise<Answer> {
  const { clientSecret, ...rest } = { ...options, ...credentials };
  const { context } = judgeClientOptions(provider, {
    ...rest,
    ...(clientSecret !== undefined && { clientSecret }),
  });
  const { codeVerifier } = randomTexts();
  const authentication = authenticateClient(provider.clientAuthentication, context.options);
  const message = buildTokenRequest(provider.tokenRequestFormat, authentication, {
    ...provider.requestParameters?.('authorization_code', context),
    grant_type: 'authorization_code',
    code: MADE_UP_CODE,
    redirect_uri: callbackURL ?? MADE_UP_CALLBACK,
    code_verifier: codeVerifier,
  });
  const url = new URL(context.endpoints.tokenEndpoint);
  const response = await asking.ask('token', url, { method: 'POST', ...message });
  const sent = [...authentication.secrets, codeVerifier, MADE_UP_CODE, context.options.clientID];
  const problem = problemOf(response, sent, provider);
  const { status, reported } = problem?.details ?? {};
  const said = `${reported?.error ?? problem?.code} ${reported?.error_description}`;
  const texts = sent.filter((text) => text !== undefined);
  return { problem, words: `${status} ${comparable(said, texts)}` };
}

function problemOf(
  response: HttpResponse,
  sent: readonly (string | undefined)[],
  vocabulary: SetUp['provider'],
): Problem | undefined {
  if (!isSuccess(response)) return processTokenError(response, sent, vocabulary, 'token');
  try {
    processTokenResponse(response, Date.now(), sent, { vocabulary, stage: 'token' });
    return undefined;
  } catch (error) {
    if (isProblem(error)) return error;
    throw error;
  }
}
