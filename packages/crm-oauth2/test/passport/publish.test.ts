/** The exports of a strategy package. */
import { expect } from 'chai';
import OAuth2Strategy = require('passport-oauth2');
import {
  AuthorizationError,
  CookieStateStore,
  InternalOAuthError,
  TokenError,
  loginHandler,
  publishStrategy,
  strategyFor,
} from '../../dist/passport';
import { acme } from '../support';
import { OPTIONS } from './support';

function published(names: Readonly<Record<string, object>> = {}): Record<string, unknown> {
  class AcmeStrategy extends strategyFor(acme) {}
  publishStrategy(AcmeStrategy, { AcmeStrategy, acme, ...names });
  return AcmeStrategy as unknown as Record<string, unknown>;
}

describe('publishStrategy', () => {
  for (const name of ['Strategy', 'default', 'AcmeStrategy']) {
    it(`puts the class on itself as ${name}`, () => {
      const strategy = published();
      expect(Object.getOwnPropertyDescriptor(strategy, name)?.value).to.equal(strategy);
    });
  }

  it('puts the description, the errors, the cookie store and the handler on the class', () => {
    const strategy = published();
    const errors = { AuthorizationError, TokenError, InternalOAuthError };
    const expected = { acme, ...errors, CookieStateStore, loginHandler };
    for (const [name, value] of Object.entries(expected)) {
      expect(Object.getOwnPropertyDescriptor(strategy, name)?.value, name).to.equal(value);
      expect(Object.keys(strategy)).to.include(name);
    }
  });

  it('passport-oauth2 — leaves no static of the class underneath in sight', () => {
    const strategy = published();
    for (const name of Object.keys(OAuth2Strategy)) {
      expect(Object.hasOwn(strategy, name), name).to.equal(true);
      expect(strategy[name], name).not.to.equal(Reflect.get(OAuth2Strategy, name));
    }
    expect(OAuth2Strategy.Strategy).to.equal(OAuth2Strategy);
  });

  it('keeps Strategy and default for the class', () => {
    const other = {};
    const strategy = published({ Strategy: other, default: other, helper: other });
    expect(strategy).to.include({ Strategy: strategy, default: strategy, helper: other });
  });

  it('changes no other strategy class', () => {
    published();
    class Later extends strategyFor(acme) {}
    expect(Object.keys(Later)).to.deep.equal([]);
    expect(Object.keys(Object.getPrototypeOf(Later) as object)).to.deep.equal([]);
  });

  it('leaves a class that still makes strategies', () => {
    const strategy = published() as unknown as new (options: object) => { name: string };
    const made = new strategy({ ...OPTIONS, verify: () => false });
    expect(made.name).to.equal('acme');
    expect(made).to.be.instanceOf(OAuth2Strategy);
  });
});
