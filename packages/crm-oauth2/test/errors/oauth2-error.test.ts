/** How a problem becomes the error that a caller catches. */
import { expect } from 'chai';
import {
  OAuth2Error,
  assignFields,
  brand,
  describe as describeProblem,
  described as describedStep,
  isOAuth2Error,
  located,
} from '../../dist/errors/oauth2-error';
import type { Stage } from '../../dist/errors/oauth2-error';
import { HINTS } from '../../dist/errors/codes';
import { Problem } from '../../dist/errors/problem';
import { providerCode } from '../../dist/errors/provider-codes';
import { rejection } from '../support';

const WHERE = {
  provider: { name: 'acme', hints: {} },
  stage: 'token' as Stage,
  host: 'acme.test',
};

/** A code that no table lists. */
const UNLISTED = providerCode('a_word_of_acme');

function described(problem: Problem, hints = {}, stage = WHERE.stage): OAuth2Error {
  const provider = { name: 'acme', hints };
  return describeProblem(problem, { ...WHERE, provider, stage }) as OAuth2Error;
}

describe('errors', () => {
  describe('a problem', () => {
    it('has a code, a sentence, and no details unless they are given', () => {
      const problem = new Problem('timeout', 'not finished in time');
      expect(problem).to.be.instanceOf(Error);
      expect(String(problem)).to.equal('Problem: not finished in time');
      expect(problem.code).to.equal('timeout');
      expect(problem.details).to.deep.equal({});
    });

    it('RFC 6749 §5.2 — becomes an OAuth2Error with every detail of the token response', () => {
      const cause = new Error('underneath');
      const error = described(
        new Problem('invalid_grant', 'invalid_grant: used up', {
          reportedIn: 'token response',
          status: 403,
          uri: 'https://acme.test/help',
          retryAfterSeconds: 3,
          cause,
        }),
      );
      expect(error).to.be.instanceOf(OAuth2Error).and.instanceOf(Error);
      expect(error).to.include({
        name: 'OAuth2Error',
        message: 'acme: invalid_grant: used up',
        code: 'invalid_grant',
        uri: 'https://acme.test/help',
        status: 403,
        provider: 'acme',
        stage: 'token',
        host: 'acme.test',
        hint: HINTS.invalid_grant,
        reportedIn: 'token response',
        retryAfterSeconds: 3,
        cause,
      });
    });

    it('RFC 6749 §4.1.2.1 — keeps the status that a refused login is answered with', () => {
      const error = described(
        new Problem('access_denied', 'access_denied', {
          reportedIn: 'authorization response',
          refusal: 401,
        }),
      );
      expect(error).to.include({
        message: 'acme: access_denied',
        code: 'access_denied',
        reportedIn: 'authorization response',
        refusal: 401,
      });
    });

    it('adds no fields that are undefined', () => {
      const error = described(new Problem(UNLISTED, 'x', { status: undefined }));
      expect(Object.keys(error)).to.have.members(['code', 'provider', 'stage', 'host']);
      expect(error).not.to.have.property('cause');
    });

    it('becomes an error whose stack begins with its message, and leads to the check', () => {
      const error = described(new Problem('timeout', 'not finished in time'));
      const [first, second] = (error.stack ?? '').split('\n');
      expect(first).to.equal('OAuth2Error: acme: not finished in time');
      expect(second).to.match(/^ +at .*oauth2-error\.test/);
    });
  });

  it('Problem — of another copy of the package is described too', () => {
    class OtherProblem extends Error {
      readonly code = 'timeout';
      readonly details = {};
    }
    Object.defineProperty(OtherProblem.prototype, Symbol.for('crm-oauth2.problem'), {
      value: true,
    });
    const where = { provider: { name: 'acme', hints: {} }, stage: 'token' } as const;
    const error = describeProblem(new OtherProblem('late'), where);
    expect(error).to.be.instanceOf(OAuth2Error);
    expect(error).to.include({ code: 'timeout', message: 'acme: late' });
  });

  it('OAuth2Error — can be renamed, and made without fields', () => {
    const error = new OAuth2Error('a message');
    expect(error.name).to.equal('OAuth2Error');
    error.name = 'SignInError';
    expect(error.name).to.equal('SignInError');
    const property = Object.getOwnPropertyDescriptor(OAuth2Error.prototype, 'name');
    const ofPlatform = Object.getOwnPropertyDescriptor(Error.prototype, 'name');
    expect(property).to.deep.equal({ ...ofPlatform, value: 'OAuth2Error' });
  });

  describe('an error', () => {
    it('does not enumerate its cause, like any error of JavaScript', () => {
      const cause = new Error('y');
      const error = described(new Problem('timeout', 'x', { cause }));
      expect(Object.keys(error)).not.to.include('cause');
      // As with `new Error(message, { cause })`, the caller may replace it.
      expect(Object.getOwnPropertyDescriptor(error, 'cause')).to.deep.equal({
        value: cause,
        configurable: true,
        enumerable: false,
        writable: true,
      });
    });

    it('does not enumerate what the provider reported: its code and message tell it already', () => {
      const reported = { error: 'invalid_grant' };
      const error = described(new Problem('invalid_grant', 'x', { reported }));
      expect(error).to.have.property('reported', reported);
      expect(Object.keys(error)).not.to.include('reported');
    });

    it('enumerates every other field, and leaves it writable', () => {
      const error = new Error('x');
      assignFields(error, { code: 'timeout', status: undefined });
      expect(Object.getOwnPropertyDescriptor(error, 'code')).to.deep.equal({
        value: 'timeout',
        configurable: true,
        enumerable: true,
        writable: true,
      });
      expect(error).not.to.have.property('status');
    });

    it('is told from any other value', () => {
      expect(isOAuth2Error(described(new Problem('timeout', 'x')))).to.equal(true);
      for (const value of [new Problem('timeout', 'x'), new Error('x'), {}, null, undefined]) {
        expect(isOAuth2Error(value)).to.equal(false);
      }
    });

    it('is recognized when its class is branded, also in another copy of the package', () => {
      class TokenError extends Error {}
      expect(isOAuth2Error(new TokenError('x'))).to.equal(false);
      brand(TokenError);
      expect(isOAuth2Error(new TokenError('x'))).to.equal(true);
      const brandOfAnyCopy = { [Symbol.for('crm-oauth2.error')]: true };
      expect(isOAuth2Error(Object.assign(new Error('x'), brandOfAnyCopy))).to.equal(true);
      // The brand alone does not make an error.
      expect(isOAuth2Error(brandOfAnyCopy)).to.equal(false);
    });

    it('stays as it is when it does not come from a check', () => {
      for (const value of [new TypeError('a bug'), 'text', undefined, null]) {
        expect(describeProblem(value, WHERE)).to.equal(value);
      }
    });
  });

  describe('located', () => {
    const provider = { name: 'acme', hints: { a_word_of_acme: 'Own remedy.' } };

    it('returns the result of the step', async () => {
      expect(await located({ provider, stage: 'token' }, () => 7)).to.equal(7);
      const step = () => Promise.resolve(8);
      expect(await located({ provider, stage: 'token' }, step)).to.equal(8);
    });

    it('adds to a problem where it happened', async () => {
      const where = { provider, stage: 'profile' as Stage, host: 'acme.test:8443' };
      const error = await rejection(
        located(where, () => {
          throw new Problem(UNLISTED, 'x');
        }),
      );
      expect(error).to.be.instanceOf(OAuth2Error);
      expect(error).to.include({
        provider: 'acme',
        stage: 'profile',
        host: 'acme.test:8443',
        hint: 'Own remedy.',
      });
    });

    it('names the host that the step has corrected', async () => {
      const error = await rejection(
        located({ provider, stage: 'profile', host: 'acme.test' }, (where) => {
          where.host = 'eu.acme.test';
          throw new Problem('timeout', 'x');
        }),
      );
      expect(error).to.include({ host: 'eu.acme.test' });
    });

    it('leaves an error that was already located as it is', async () => {
      const inner = described(new Problem('timeout', 'x'));
      const error = await rejection(
        located({ provider, stage: 'verify' }, () => Promise.reject(inner)),
      );
      expect(error).to.equal(inner);
      expect(error.stage).to.equal('token');
    });
  });

  describe('described, for a step that asks no one', () => {
    it('returns the result of the step', () => {
      expect(describedStep(WHERE, () => 7)).to.equal(7);
    });

    it('adds to a problem where it happened', () => {
      const step = () => {
        throw new Problem('timeout', 'x');
      };
      expect(() => describedStep(WHERE, step))
        .to.throw(OAuth2Error, 'acme: x')
        .that.includes({ provider: 'acme', stage: 'token', host: 'acme.test' });
    });
  });

  describe('hints', () => {
    it('come from the problem, then from the provider, then from the shared table', () => {
      const hints = { timeout: 'Of the provider.' };
      const own = new Problem('timeout', 'x', { hint: 'Own.' });
      expect(described(own, hints).hint).to.equal('Own.');
      expect(described(new Problem('timeout', 'x'), hints).hint).to.equal('Of the provider.');
      expect(described(new Problem('timeout', 'x')).hint).to.equal(HINTS.timeout);
    });

    const invalidGrant = new Problem('invalid_grant', 'used up');

    it('differ by stage where the same code has another remedy', () => {
      expect(described(invalidGrant).hint).to.equal(HINTS.invalid_grant);
      const ofRefresh = described(invalidGrant, {}, 'refresh');
      expect(ofRefresh.hint).to.equal(HINTS['refresh.invalid_grant']);
      const hints = { 'refresh.invalid_grant': 'Of the provider, for a refresh.' };
      expect(described(invalidGrant, hints, 'refresh').hint).to.equal(
        'Of the provider, for a refresh.',
      );
      expect(described(invalidGrant, hints).hint).to.equal(HINTS.invalid_grant);
    });

    it('of the provider win, even over one of the shared table for the stage', () => {
      const hints = { invalid_grant: 'Of the provider.' };
      expect(described(invalidGrant, hints, 'refresh').hint).to.equal('Of the provider.');
    });

    for (const name of ['constructor', '__proto__', 'toString']) {
      it(`are absent for a code called ${name}`, () => {
        expect(described(new Problem(providerCode(name), 'x')).hint).to.equal(undefined);
      });
    }
  });
});
