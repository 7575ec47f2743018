/** A few resources of Salesforce's REST API, which answers errors as an array. */
import type { EndpointRow, RouteContext } from '../endpoints.js';
import { ok, type Reply } from '../reply.js';
import type { Store } from '../store.js';
import { textOf } from '../values.js';
import { sessionOf } from './salesforce-org.js';

/** The release that the version `latest` stands for. */
export const LATEST_API_VERSION = '66.0';

const REQUESTS_PER_DAY = 15_000;
const ACCOUNT_ID = '001Le00000Emulat';

export function salesforceApi(store: Store): EndpointRow[] {
  let used = 0;

  /** A row whose handler checks the session, and counts the request. */
  function resource(
    methods: string,
    path: string,
    answer: (context: RouteContext) => Reply,
  ): EndpointRow {
    const handle = (context: RouteContext) => {
      const session = sessionOf(store, context.request.bearerToken);
      if (!session || !['api', 'full'].some((scope) => session.scopes.has(scope))) {
        return refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
      }
      used += 1;
      const headers = { 'sforce-limit-info': `api-usage=${used}/${REQUESTS_PER_DAY}` };
      return { headers, ...answer(context) };
    };
    return ['', methods, `/services/data/:version/${path}`, 'api', handle];
  }

  return [
    ['API: versions', 'GET', '/services/data{/}', [], () => ok([RELEASE])],
    resource('GET', 'query{/}', () => ok({ totalSize: 1, done: true, records: [ACCOUNT] })),
    resource('GET', 'limits{/}', () => {
      const Remaining = Math.max(0, REQUESTS_PER_DAY - used);
      return ok({ DailyApiRequests: { Max: REQUESTS_PER_DAY, Remaining } });
    }),
    resource('POST', 'sobjects/Contact{/}', ({ request }) => {
      if (textOf(request.fields?.['LastName'])) {
        return { status: 201, body: { id: '003Le00000EmulatAAA', success: true, errors: [] } };
      }
      const message = 'Required fields are missing: [LastName]';
      return refusal(400, 'REQUIRED_FIELD_MISSING', message, ['LastName']);
    }),
    resource('GET, POST, PATCH, DELETE', '*', () =>
      refusal(404, 'NOT_FOUND', 'The requested resource does not exist'),
    ),
    // A fault of the API meets an unknown version too.
    ['', '', '/services/data/*', 'api'],
  ];
}

const RELEASE = {
  label: "Summer '26",
  url: `/services/data/v${LATEST_API_VERSION}`,
  version: LATEST_API_VERSION,
};

const ACCOUNT = {
  attributes: { type: 'Account', url: `${RELEASE.url}/sobjects/Account/${ACCOUNT_ID}` },
  Id: ACCOUNT_ID,
  Name: 'Harbour Bakery',
};

export const errors = (errorCode: string, message: string, fields?: string[]) => [
  { message, errorCode, ...(fields && { fields }) },
];

const refusal = (status: number, ...error: Parameters<typeof errors>): Reply => ({
  status,
  body: errors(...error),
});
