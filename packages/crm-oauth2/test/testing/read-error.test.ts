import { expect } from 'chai';
import { readError } from '../../dist/testing';

describe('readError', () => {
  const acme = {
    meanings: [
      {
        error: 'invalid_grant',
        says: /\binactive\b/,
        stages: ['token'],
        code: 'unauthorized_client',
      },
      { says: /\bnight\b/, code: 'rate_limited', hint: 'Come back by day.' },
    ],
    refusals: ['unauthorized_client'],
    hints: { unauthorized_client: 'An administrator activates the person.' },
  } as const;

  it('names the code, the remedy of the row, and the status of a refusal', () => {
    const reported = { error: 'invalid_grant', description: 'inactive user' } as const;
    expect(readError(acme, { stage: 'token', ...reported })).to.deep.equal({
      code: 'unauthorized_client',
      hint: undefined,
      refusal: 401,
    });
    expect(readError(acme, { stage: 'refresh', ...reported })).to.deep.equal({
      code: 'invalid_grant',
      hint: undefined,
      refusal: undefined,
    });
    expect(readError(acme, { stage: 'token', error: 'x', description: 'at night' })).to.deep.equal({
      code: 'rate_limited',
      hint: 'Come back by day.',
      refusal: undefined,
    });
  });

  it('takes an error that is not a word for an unexpected status', () => {
    expect(readError(acme, { stage: 'token', error: 'Bad luck!' }).code).to.equal(
      'unexpected_status',
    );
  });
});
