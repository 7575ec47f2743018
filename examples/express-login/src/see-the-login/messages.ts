/** From the steps of a login to the messages of a sequence diagram, each with its words and its place in the code. */
import { titleOf } from '../layout';
import type { Step } from './steps';

/** The files of the repository, and the words in them to look for. */
export const PLACES = {
  start: { file: 'examples/express-login/src/login.ts', find: 'function loginRoutes' },
  connect: { file: 'examples/express-login/src/connections.ts', find: 'function connectionRoutes' },
  begin: { file: 'packages/crm-oauth2/src/passport/login-start.ts', find: 'function startLogin' },
  authorize: {
    file: 'packages/crm-oauth2/src/protocol/authorization-request.ts',
    find: 'function buildAuthorizationRequest',
  },
  return: {
    file: 'packages/crm-oauth2/src/passport/login-finish.ts',
    find: 'function finishLogin',
  },
  token: {
    file: 'packages/crm-oauth2/src/protocol/token-endpoint.ts',
    find: 'function buildTokenRequest',
  },
  keys: { file: 'packages/crm-oauth2/src/protocol/signing-keys.ts', find: 'fetchAhead' },
  profile: {
    file: 'packages/crm-oauth2/src/protocol/profile-request.ts',
    find: 'function fetchWithToken',
  },
  end: { file: 'examples/express-login/src/login.ts', find: 'function outcome' },
  refusal: { file: 'docs/errors.md', find: '# Errors' },
  whole: { file: 'docs/internals/a-login-step-by-step.md', find: '# A login, step by step' },
} as const;

export type PlaceName = keyof typeof PLACES;

/** The lifelines, from left to right. */
export const [BROWSER, APPLICATION, PROVIDER] = [0, 1, 2] as const;
export type Lifeline = 0 | 1 | 2;

export interface Message {
  from: Lifeline;
  to: Lifeline;
  kind: 'request' | 'answer' | 'failure';
  title: string;
  /** The host that is asked, or the time that an answer took. */
  details: string;
  /** Of the parameters. */
  names: readonly string[];
  /** The answer, where it follows at once: "200, 35 ms". */
  answer?: string;
  words: string;
  place: PlaceName;
}

export const masked = (names: readonly string[]) => names.map((name) => `${name}=•••`).join(' ');

/** @param steps of one login, in their order */
export function messagesOf(steps: readonly Step[]): Message[] {
  const title = titleOf(steps[0] ?? { provider: '' });
  const timed = steps.flatMap((step, index): [at: number, message: Message][] => {
    if (step.from === 'application') return [[step.at, toProvider(step, title)]];
    const end = step.at + step.duration;
    const later = steps.slice(index + 1).find(({ from }) => from === 'browser');
    const way = signIn(step, later, title);
    return [
      [step.at, fromBrowser(step, title)],
      [end, toBrowser(step)],
      ...(way ? [[end, way] as [number, Message]] : []),
    ];
  });
  return timed.toSorted(([a], [b]) => a - b).map(([, message]) => message);
}

const isCallback = ({ path }: Step) => path.endsWith('/callback');

function fromBrowser(step: Step, title: string): Message {
  const { method, path, host, names } = step;
  const [place, words]: [PlaceName, string] = isCallback(step)
    ? ['return', `${title} has sent the browser back, with its answer in the address.`]
    : method === 'POST'
      ? ['connect', `The person, who is signed in, connects ${title}.`]
      : ['start', `The person chooses to log in with ${title}.`];
  const shown = { title: `${method} ${path}`, details: host, names, words, place };
  return { from: BROWSER, to: APPLICATION, kind: 'request', ...shown };
}

/** The answer of this application to the browser. */
function toBrowser(step: Step): Message {
  const { status, leadsTo, outcome, code, duration, warnings = [], host } = step;
  const hasFailed = outcome === undefined ? (status ?? 500) >= 400 : outcome !== 'success';
  const isElsewhere = leadsTo !== undefined && leadsTo.host !== host;
  const target = leadsTo ? `to ${isElsewhere ? leadsTo.host : leadsTo.path}` : 'with a page';
  const but = warnings.map((warning) => ` Warning: ${warning}.`).join('');
  const [place, words]: [PlaceName, string] = hasFailed
    ? ['refusal', `The login has failed: ${code ?? 'this application refuses it'}.`]
    : isElsewhere
      ? [
          'begin',
          `A login begins. Its state and its code verifier wait in an encrypted cookie.${but}`,
        ]
      : ['end', `The login has succeeded: the tokens are kept, and the person is signed in.${but}`];
  return {
    from: APPLICATION,
    to: BROWSER,
    kind: hasFailed ? 'failure' : 'answer',
    title: `${status ?? 'no answer'} ${target}`,
    details: `after ${duration} ms`,
    names: [],
    words: status === undefined ? 'The browser did not wait for the answer.' : words,
    place,
  };
}

/** The browser at the provider. This application sees only that it leaves, and that it comes back. */
function signIn(step: Step, later: Step | undefined, title: string): Message | undefined {
  const { leadsTo, host, at, duration } = step;
  if (leadsTo === undefined || leadsTo.host === host || isCallback(step)) return undefined;
  const seconds = later && Math.max(1, Math.round((later.at - at - duration) / 1000));
  const words =
    seconds === undefined
      ? `The person signs in at ${title}. The browser has not come back so far.`
      : `The person signs in at ${title}, unseen by this application, for ${seconds} s.`;
  const shown = {
    title: `GET ${leadsTo.path}`,
    details: leadsTo.host,
    names: leadsTo.names,
    words,
  };
  return { from: BROWSER, to: PROVIDER, kind: 'request', ...shown, place: 'authorize' };
}

function toProvider(step: Step, title: string): Message {
  const { method, host, path, names, status, code, duration } = step;
  const [place, words]: [PlaceName, string] = path.endsWith('/token')
    ? ['token', 'The code and its verifier are redeemed for tokens, out of sight of the browser.']
    : /keys$|jwks/.test(path)
      ? ['keys', `The public keys of ${title}, with which its signatures are checked.`]
      : ['profile', 'The access token fetches the profile of the person.'];
  return {
    from: APPLICATION,
    to: PROVIDER,
    kind: status === undefined || status >= 400 ? 'failure' : 'request',
    title: `${method} ${path}`,
    details: host,
    names,
    answer: `${status ?? code ?? 'no answer'}, ${duration} ms`,
    words,
    place,
  };
}
