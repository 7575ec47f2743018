/** A login without a browser, and the error of a promise that must be rejected. */
import { expect } from 'chai';
import nock = require('nock');
import { OAuth2Client, OAuth2Error } from '../../dist/index';
import { completeLogin, rejection } from '../../dist/testing';
import {
  CREDENTIALS,
  ORIGIN,
  acme,
  formOf,
  mockTheNetwork,
  rejection as anyError,
} from '../support';

describe('a login for tests', () => {
  mockTheNetwork();

  it('RFC 6749 §4.1.3 — redeems the code of a login that it has begun itself', async () => {
    const sent: Record<string, string>[] = [];
    nock(ORIGIN)
      .post('/token', (body) => sent.push(formOf(body)) > 0)
      .reply(200, { access_token: 'at-1' });
    const tokens = await completeLogin(new OAuth2Client(acme, CREDENTIALS));
    expect(tokens.accessToken).to.equal('at-1');
    expect(sent[0]).to.include({
      code: 'a-code',
      redirect_uri: 'https://app.example.com/auth/callback',
    });
  });

  describe('rejection', () => {
    it('is the error of the family', async () => {
      const error = new OAuth2Error('acme: too late');
      expect(await rejection(Promise.reject(error))).to.equal(error);
    });

    it('throws any other error, as it is', async () => {
      const bug = new TypeError('a bug');
      expect(await anyError(rejection(Promise.reject(bug)))).to.equal(bug);
    });

    it('throws where the promise is fulfilled', async () => {
      const error = await anyError(rejection(Promise.resolve(1)));
      expect(error.message).to.equal('the promise was expected to be rejected');
    });
  });
});
