/** The event of each request: its fields, and what it must not show. */
import { channel } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { Problem } from '../../dist/errors/problem';
import { Deadline } from '../../dist/wire/deadline';
import type { HttpRequest, HttpResponse } from '../../dist/wire/http';
import { observed } from '../../dist/wire/observed';
import { pause } from '../support';

const TOKEN = 'access-token/with a slash';
const REQUEST: HttpRequest = {
  method: 'GET',
  url: new URL(`https://acme.test:8443/tokens/${encodeURIComponent(TOKEN)}?secret=1`),
  headers: {},
  secrets: [TOKEN],
};
const ANSWER: HttpResponse = { status: 204, headers: {}, body: '' };

describe('observed requests', () => {
  const events: unknown[] = [];
  const listen = (event: unknown) => void events.push(event);
  const subscribe = () => channel('crm-oauth2').subscribe(listen);
  beforeEach(() => {
    events.length = 0;
  });
  afterEach(() => {
    channel('crm-oauth2').unsubscribe(listen);
  });

  /** Sends a request that is over after some milliseconds. */
  const send = (request: HttpRequest, end: () => HttpResponse) =>
    observed('acme', request, new Deadline(1000, 'a-state'), async () => {
      await pause(20);
      return end();
    });

  it('are told with status and duration, without the query and without a secret in the path', async () => {
    subscribe();
    expect(await send(REQUEST, () => ANSWER)).to.equal(ANSWER);
    expect(events).to.have.length(1);
    const { duration, login, ...rest } = events[0] as Record<string, unknown>;
    expect(duration).to.be.within(15, 5000);
    expect(login).to.match(/^[\w-]{10}$/);
    expect(rest).to.deep.equal({
      event: 'request',
      provider: 'acme',
      method: 'GET',
      host: 'acme.test:8443',
      path: '/tokens/[redacted]',
      status: 204,
    });
  });

  it('show the whole path where no secret was sent', async () => {
    subscribe();
    const url = new URL('https://acme.test/oauth/token');
    await send({ method: 'POST', url, headers: {} }, () => ANSWER);
    expect(events[0]).to.include({ method: 'POST', path: '/oauth/token' });
  });

  it('that fail are told with the code of the problem, and rejected with it', async () => {
    subscribe();
    const problem = new Problem('dns_error', 'no such host');
    const failed = send(REQUEST, () => {
      throw problem;
    });
    expect(await failed.catch((error: unknown) => error)).to.equal(problem);
    expect(events[0]).to.include({ code: 'dns_error' }).and.not.to.have.property('status');
  });

  it('that fail by another error are told as unexpected', async () => {
    subscribe();
    await send(REQUEST, () => {
      throw new Error('a bug');
    }).catch(() => undefined);
    expect(events[0]).to.include({ code: 'unexpected' });
  });

  it('are not told to a subscriber that comes later', async () => {
    const sent = send(REQUEST, () => ANSWER);
    subscribe();
    await sent;
    expect(events).to.deep.equal([]);
  });
});
