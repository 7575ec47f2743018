/** OpenID Connect RP-Initiated Logout 1.0: the address and the form. */
import { expect } from 'chai';
import { buildEndSessionForm, buildEndSessionUrl } from '../../dist/protocol/end-session';
import type { EndSessionRequest } from '../../dist/protocol/end-session';

const ENDPOINT = 'https://acme.test/oidc/logout';
const ID_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
const BYE = 'https://app.test/bye?from=acme';

const url = (request?: EndSessionRequest, endpoint = ENDPOINT) =>
  buildEndSessionUrl(endpoint, 'client-1', request);
const form = (request: EndSessionRequest = {}, endpoint = ENDPOINT) =>
  buildEndSessionForm(endpoint, 'client-1', { ...request, idToken: ID_TOKEN });
const query = (request?: EndSessionRequest, endpoint?: string) =>
  Object.fromEntries(new URL(url(request, endpoint)).searchParams);

const ALL = {
  logoutHint: 'session-1',
  postLogoutRedirectUri: BYE,
  state: 'state 1&x',
  uiLocales: ['pt-BR', 'en'],
};
const ON_THE_WIRE = {
  client_id: 'client-1',
  logout_hint: 'session-1',
  post_logout_redirect_uri: BYE,
  state: 'state 1&x',
  ui_locales: 'pt-BR en',
};

describe('logout at the provider', () => {
  it('RP-Initiated Logout §2 — names the client, and nothing that was not given', () => {
    expect(url()).to.equal(`${ENDPOINT}?client_id=client-1`);
    expect(url({ tokens: {} })).to.equal(`${ENDPOINT}?client_id=client-1`);
    expect(form()).to.deep.equal({
      action: ENDPOINT,
      fields: { client_id: 'client-1', id_token_hint: ID_TOKEN },
    });
  });

  it('RP-Initiated Logout §2 — has each parameter under its wire name', () => {
    expect(query(ALL)).to.deep.equal(ON_THE_WIRE);
    expect(form(ALL)).to.deep.equal({
      action: ENDPOINT,
      fields: { ...ON_THE_WIRE, id_token_hint: ID_TOKEN },
    });
    expect(query({ uiLocales: 'pt-BR en' }).ui_locales).to.equal('pt-BR en');
  });

  it('RP-Initiated Logout §2 — hints at the session of the ID Token, unless another hint is given', () => {
    const tokens = { sid: 'session-2' };
    expect(query({ tokens }).logout_hint).to.equal('session-2');
    expect(form({ tokens }).fields.logout_hint).to.equal('session-2');
    expect(query({ tokens, logoutHint: 'jane@acme.test' }).logout_hint).to.equal('jane@acme.test');
    expect(query({ tokens: {} })).to.have.all.keys('client_id');
  });

  it('RP-Initiated Logout §2 — never puts a token into the URL', () => {
    const tokens = { sid: 'session-2', accessToken: 'at-1', idToken: ID_TOKEN };
    expect(url({ tokens })).to.equal(`${ENDPOINT}?client_id=client-1&logout_hint=session-2`);
    for (const name of ['idToken', 'idTokenHint', 'id_token_hint']) {
      expect(() => url({ [name]: ID_TOKEN }))
        .to.throw(TypeError)
        .with.property(
          'message',
          `buildEndSessionUrl: unknown option "${name}"; a token does not belong in a URL: use buildEndSessionForm`,
        );
    }
  });

  it('CWE-1321 — a polluted prototype lends no parameter', () => {
    const polluted = { ...ALL, sid: 'session-3', tokens: { sid: 'session-4' } };
    Object.assign(Object.prototype, polluted);
    try {
      expect(url({})).to.equal(`${ENDPOINT}?client_id=client-1`);
      expect(url({ tokens: {} })).to.equal(`${ENDPOINT}?client_id=client-1`);
      expect(Object.keys(form().fields)).to.have.members(['client_id', 'id_token_hint']);
      const empty = {} as never;
      Object.assign(Object.prototype, { idToken: ID_TOKEN });
      expect(() => buildEndSessionForm(ENDPOINT, 'client-1', empty)).to.throw(
        '"idToken" is required',
      );
    } finally {
      for (const name of [...Object.keys(polluted), 'idToken']) {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
  });

  it('keeps the query of the endpoint, and no parameter of it beside ours', () => {
    const endpoint = `${ENDPOINT}?tenant=a&client_id=evil&id_token_hint=x&state=y&logout_hint=z&ui_locales=q&post_logout_redirect_uri=https://evil.test`;
    expect(query({}, endpoint)).to.deep.equal({ tenant: 'a', client_id: 'client-1' });
    expect(form({}, endpoint).action).to.equal(`${ENDPOINT}?tenant=a`);
    expect(query(ALL, endpoint)).to.deep.equal({ tenant: 'a', ...ON_THE_WIRE });
  });

  for (const [request, message] of [
    [{ postLogoutRedirectUri: '/bye' }, 'must be an absolute URL'],
    [{ postLogoutRedirectUri: 'app.test/bye' }, 'such as "https://app.test/bye"'],
    [{ postLogoutRedirectUri: 'https://app.test/bye#x' }, 'must have no fragment'],
    [{ postLogoutRedirectUri: 'https://jane@app.test/bye' }, 'must have no user info'],
    [{ postLogoutRedirectUri: 'undefined/bye' }, 'a variable was probably not set'],
    [{ postLogoutRedirectUri: 'javascript:alert(1)' }, 'must be an absolute URL'],
    [{ postLogoutRedirectUri: '' }, 'option "postLogoutRedirectUri" is required and must be'],
    [{ logoutHint: '' }, 'option "logoutHint" must be a non-empty string'],
    [{ logoutHint: ['a', 'b'] }, 'option "logoutHint" must be a non-empty string'],
    [{ state: 7 }, 'option "state" must be a non-empty string'],
    [{ uiLocales: true }, 'option "uiLocales" must be an array of strings'],
    [{ uiLocales: ['en', 7] }, 'option "uiLocales" is required and must be a non-empty string'],
    [{ returnTo: BYE }, 'unknown option "returnTo"'],
    [{ post_logout_redirect_uri: BYE }, 'did you mean "postLogoutRedirectUri"?'],
  ] as const) {
    it(`refuses ${JSON.stringify(request)}, in either form`, () => {
      for (const [build, owner] of [
        [url, 'buildEndSessionUrl: '],
        [form, 'buildEndSessionForm: '],
      ] as const) {
        expect(() => build(request as EndSessionRequest))
          .to.throw(TypeError)
          .with.property('message')
          .that.satisfies((text: string) => text.startsWith(owner) && text.includes(message));
      }
    });
  }

  it('refuses a form without its ID Token', () => {
    for (const idToken of [undefined, '', 7] as unknown as string[]) {
      expect(() => buildEndSessionForm(ENDPOINT, 'client-1', { idToken })).to.throw(
        TypeError,
        'buildEndSessionForm: option "idToken" is required and must be a non-empty string',
      );
    }
  });
});
