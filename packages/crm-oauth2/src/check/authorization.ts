/** The authorization request, as a browser would send it: does the provider know client and callback? */
import { OAuth2Client } from '../client';
import type { ClientOptions } from '../client-options';
import { reportedProblem } from '../errors/meanings';
import { describe } from '../errors/oauth2-error';
import type { Asking } from './asking';
import { failureOf, findingsOf, isUnread, remedyAlone } from './finding';
import type { Finding } from './finding';
import { MADE_UP_CALLBACK, MADE_UP_ID } from './asking';
import { readPage } from './refusal-page';
import type { Page } from './refusal-page';
import type { SetUp } from './variables';

const { right, wrong, unknown } = findingsOf('authorization');

const stage = 'authorize';

interface Answers {
  /** The client and the callback of the set-up. */
  own: Page;
  otherClient: Page;
  otherCallback: Page;
}

export interface Authorization {
  findings: Finding[];
  /** True or false where the answers tell. */
  knowsClient?: boolean | undefined;
  /** The provider refuses the client or the callback, and only the token endpoint can tell which. */
  isUnclear?: boolean;
}

/** Sends three requests at most, none of which a person sees. */
export async function checkAuthorization(setUp: SetUp, asking: Asking): Promise<Authorization> {
  const { provider, options, callbackURL } = setUp;
  const visit = async (clientID: string, redirectUri: string) =>
    await ask(setUp, asking, { ...options, clientID }, redirectUri);
  const { clientID } = options;
  const isKnown = callbackURL !== undefined && URL.canParse(callbackURL);
  const callback = isKnown ? callbackURL : MADE_UP_CALLBACK;
  try {
    const own = await visit(clientID, callback);
    if (own.kind === 'fails') {
      const words = `The authorization endpoint of ${provider.title} answers ${own.status}.`;
      return {
        findings: [wrong(words, { mend: 'Try again later.', code: 'provider_unavailable' })],
      };
    }
    if (own.kind === 'missing') return { findings: [missing(setUp, own)] };
    const otherClient = await visit(MADE_UP_ID, callback);
    if (!isKnown) return { findings: [], knowsClient: tellsClient(own, otherClient) };
    const otherCallback = await visit(clientID, MADE_UP_CALLBACK);
    return judge(setUp, { own, otherClient, otherCallback });
  } catch (error) {
    const { words, rest } = failureOf(error);
    if (isUnread(error)) {
      return { findings: [unknown(`The page of the login cannot be read here: ${words}.`)] };
    }
    return { findings: [wrong(`The authorization endpoint cannot be asked: ${words}.`, rest)] };
  }
}

function missing({ settings }: SetUp, { status }: Page): Finding {
  const endpoint = settings?.context.endpoints.authorizationEndpoint;
  const words = `There is no login at ${endpoint}: it answers ${status}.`;
  return wrong(words, { mend: 'Check the options that name the host, or this address.' });
}

async function ask(
  { provider }: SetUp,
  asking: Asking,
  options: ClientOptions,
  redirectUri: string,
): Promise<Page> {
  const client = new OAuth2Client(provider, options);
  const { url, attempt } = client.beginLogin({ redirectUri });
  const asked = new URL(url);
  const response = await asking.ask('authorize', asked, { headers: { accept: 'text/html' } });
  return readPage(response, asked, [options.clientID, redirectUri, attempt.state]);
}

/** An unregistered callback is refused in other words than an unknown client, by a provider that judges both. */
function tellsClient(own: Page, otherClient: Page): boolean | undefined {
  const differ = own.kind !== otherClient.kind || own.words !== otherClient.words;
  return differ ? true : undefined;
}

function judge(setUp: SetUp, { own, otherClient, otherCallback }: Answers): Authorization {
  const { title } = setUp.provider;
  const refuses = ({ kind }: Page) => kind === 'refuses';
  if (!refuses(own)) {
    if (refuses(otherCallback)) {
      const words = `${title} knows the client id, and the callback URL is registered.`;
      return { findings: [right(words)], knowsClient: true };
    }
    const knowsClient = refuses(otherClient) ? true : undefined;
    const mend = 'A login tells: add --login.';
    const words = `${title} lets people sign in before it judges the callback URL, so its answer does not tell whether it is registered.`;
    return { findings: [unknown(words, { mend })], knowsClient };
  }
  const isAsOtherClient = otherClient.words === own.words;
  const isAsOtherCallback = otherCallback.words === own.words;
  if (isAsOtherClient && isAsOtherCallback) {
    if (!ABOUT_CLIENT.test(own.words)) return { findings: [], isUnclear: true };
    return { findings: [unknownClient(setUp)], knowsClient: false };
  }
  if (isAsOtherClient) return { findings: [unknownClient(setUp)], knowsClient: false };
  if (isAsOtherCallback) return { findings: [unknownCallback(setUp)], knowsClient: true };
  return { findings: [otherRefusal(setUp, own)] };
}

/** The codes and words by which a provider says that it does not know the client. */
const ABOUT_CLIENT = /\b(?:invalid_client(?:_id)?|unknown client|client not found)\b/i;

function unknownClient({ provider: { title, hints } }: SetUp): Finding {
  const mend = remedyAlone(hints.invalid_client_id ?? hints.invalid_client);
  return wrong(`${title} does not know the client id.`, { mend, code: 'invalid_client' });
}

function unknownCallback({ provider: { hints }, callbackURL }: SetUp): Finding {
  const usual = 'Register it in the app at the provider, character by character.';
  const mend = remedyAlone(hints.redirect_uri_mismatch) ?? usual;
  const words = `The callback URL ${callbackURL} is not registered.`;
  return wrong(words, { mend, code: 'redirect_uri_mismatch' });
}

/** @param isAccepted what the token endpoint has told about the client */
export function clarify(setUp: SetUp, isAccepted: boolean): Finding {
  if (isAccepted) return unknownCallback(setUp);
  const { title } = setUp.provider;
  const words = `${title} does not know the client id, or the callback URL is not registered. It does not say which.`;
  return wrong(words, { mend: 'Compare both with the app at the provider.' });
}

/** A refusal in words that neither a made-up client nor a made-up callback gets. */
function otherRefusal({ provider }: SetUp, { error, description, status }: Page): Finding {
  const says = `${provider.title} refuses the authorization request`;
  if (error === undefined) {
    const mend =
      'Compare client id, callback URL and scopes with the app. A browser that is sent to the login shows the page.';
    return wrong(`${says} (status ${status}), and does not say why.`, { mend });
  }
  const reported = { error, description, stage, otherwise: 'invalid_request' } as const;
  const problem = reportedProblem(reported, provider, [], {});
  const { words, rest } = failureOf(describe(problem, { provider, stage }));
  return wrong(`${says}: ${words}.`, rest);
}
