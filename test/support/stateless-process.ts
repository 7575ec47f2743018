/** A process of its own that logs people in with `loginHandler`: no session, no Passport, only the secret of the cookies. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { isOAuth2Error } from 'crm-oauth2';
import { CookieStateStore, loginHandler } from 'crm-oauth2/passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';

/** The argument of the program, as JSON. */
export interface StatelessSettings {
  secret: string;
  /** The options of each strategy, as the emulator gives them. */
  salesloft: Credentials;
  salesos: Credentials;
  salesforce: Credentials;
}

interface Credentials {
  clientID: string;
  clientSecret: string;
}

/** Asks for the answer as a form, where the link of the login says so. */
class PostingSalesos extends SalesosStrategy {
  override authorizationParams({ posted }: { posted?: boolean }): object {
    return posted === true ? { response_mode: 'form_post' } : {};
  }
}

type Handler = (request: Request) => Promise<Response>;

function handlersOf({ secret, ...providers }: StatelessSettings): Record<string, Handler> {
  const store = new CookieStateStore({ secrets: [secret], secure: false });
  const common = (name: keyof typeof providers) => ({
    ...providers[name],
    store,
    callbackURL: `/auth/${name}/callback`,
    verify: ({ profile }: { profile: { displayName: string } }) => profile.displayName,
  });
  const handler = (strategy: Parameters<typeof loginHandler>[0]) =>
    loginHandler<string>(strategy, {
      authenticate: ({ url }) => {
        const { searchParams } = new URL(url);
        const posted = searchParams.has('posted') && { posted: true };
        return { state: searchParams.get('tab') ?? undefined, ...posted };
      },
      success: ({ user, info }) => Response.json({ user, tab: info.state, process: process.pid }),
      error: ({ error }) =>
        Response.json({ code: isOAuth2Error(error) ? error.code : String(error) }, { status: 502 }),
    });
  return {
    salesloft: handler(new SalesloftStrategy(common('salesloft'))),
    salesos: handler(new PostingSalesos(common('salesos'))),
    salesforce: handler(new SalesforceStrategy(common('salesforce'))),
  };
}

/** The Fetch API's request for one of `node:http`, as the adapters of frameworks make it. */
function fetchRequest(req: IncomingMessage): Request {
  const { method = 'GET', url = '/', headers } = req;
  const body = method === 'POST' ? Readable.toWeb(req) : null;
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: pairs,
    body,
    duplex: 'half',
  });
}

function main(settings: StatelessSettings): void {
  const handlers = handlersOf(settings);
  const server = createServer((req, res) => {
    const handler = handlers[(req.url ?? '').split(/[/?]/)[2] ?? ''];
    if (!handler) {
      res.writeHead(404).end();
      return;
    }
    void handler(fetchRequest(req)).then(async (response) => {
      res.writeHead(response.status, [...response.headers].flat());
      res.end(Buffer.from(await response.arrayBuffer()));
    });
  });
  server.listen(0, '127.0.0.1', () => {
    process.send?.((server.address() as AddressInfo).port);
  });
  // The test has ended, or has died.
  process.on('disconnect', () => process.exit());
}

if (require.main === module) main(JSON.parse(process.argv[2] ?? '') as StatelessSettings);
