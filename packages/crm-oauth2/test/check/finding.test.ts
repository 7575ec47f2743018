/** Findings: the words of a failure, and remedies without the fault that is named already. */
import { expect } from 'chai';
import { failureOf, findingsOf, isUnread, remedyAlone } from '../../dist/check/finding';
import { describe as described } from '../../dist/errors/oauth2-error';
import { Problem } from '../../dist/provider/index';
import { acme, thrown } from '../support';

describe('findings', () => {
  it('findingsOf — makes the verdicts of one part', () => {
    const { right, wrong, unknown, note } = findingsOf('keys');
    expect(right('Yes.')).to.deep.equal({ part: 'keys', verdict: 'right', says: 'Yes.' });
    expect(wrong('No.', { mend: 'Do.', code: 'c', host: 'h' })).to.deep.equal({
      part: 'keys',
      verdict: 'wrong',
      says: 'No.',
      mend: 'Do.',
      code: 'c',
      host: 'h',
    });
    expect(unknown('?').verdict).to.equal('unknown');
    expect(note('!').verdict).to.equal('note');
  });

  it('failureOf — takes the words without the provider, the code, the host and the remedy', () => {
    const where = { provider: acme, stage: 'token', host: 'acme.test' } as const;
    const hint = 'The code was used. Acme says: sign in again.';
    const error = described(new Problem('invalid_grant', 'the code is old', { hint }), where);
    expect(failureOf(error)).to.deep.equal({
      words: 'the code is old',
      rest: { code: 'invalid_grant', host: 'acme.test', mend: 'Acme says: sign in again.' },
    });
  });

  for (const [code, unread] of [
    ['unexpected_content_encoding', true],
    ['response_too_large', true],
    ['connection_refused', false],
  ] as const) {
    it(`isUnread — ${code} is ${unread ? '' : 'not '}an answer that came`, () => {
      const where = { provider: acme, stage: 'token' } as const;
      expect(isUnread(described(new Problem(code, 'x'), where))).to.equal(unread);
      expect(isUnread(new Error(code))).to.equal(false);
    });
  }

  it('failureOf — throws a fault of the program on', () => {
    const fault = new RangeError('a bug');
    expect(thrown(() => failureOf(fault))).to.equal(fault);
  });

  for (const [hint, alone] of [
    ['The secret is wrong. Copy it from Apps.', 'Copy it from Apps.'],
    ['Acme does not know it. Compare it. Then wait.', 'Compare it. Then wait.'],
    ['The name could not be found. Check it.', 'Check it.'],
    ['The connection failed before an answer came. Try again.', 'Try again.'],
    ['Register it in the app. It takes ten minutes.', undefined],
    ['The secret is wrong.', undefined],
    ['', undefined],
  ] as const) {
    it(`remedyAlone — makes of "${hint}" "${alone ?? 'the same'}"`, () => {
      expect(remedyAlone(hint)).to.equal(alone ?? hint);
    });
  }

  it('remedyAlone — has none where there is no hint', () => {
    expect(remedyAlone(undefined)).to.equal(undefined);
  });
});
