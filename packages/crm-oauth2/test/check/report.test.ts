/** The report: sentences for people, JSON for machines, a secret in neither. */
import { expect } from 'chai';
import { findingsOf } from '../../dist/check/finding';
import { asJson, asText, wrongsOf } from '../../dist/check/report';
import { SECRET } from '../support';

const { right, wrong, unknown } = findingsOf('client');

const reportOf = (...findings: ReturnType<typeof right>[]) => ({
  provider: 'acme',
  title: 'Acme',
  package: 'passport-acme 1.0.0',
  findings,
});

const LOGIN = {
  provider: 'Acme',
  package: 'passport-acme 1.0.0',
  node: 'v20',
  date: '2026-11-29',
  hosts: ['id.acme.test'],
  facts: [['Refresh token', 'none']],
  answers: { 'Token response': [['a|b', 'text']] },
} as const;

describe('report of a check', () => {
  it('text — has a verdict, a sentence and a remedy on lines of their own', () => {
    const report = reportOf(
      right('All is well.'),
      wrong('The secret is wrong.', { mend: 'Copy it.' }),
    );
    expect(asText(report, [])).to.equal(
      [
        'Acme (passport-acme 1.0.0)',
        '',
        'right     All is well.',
        'wrong     The secret is wrong.',
        '          → Copy it.',
        '',
        'One thing is wrong.',
        '',
      ].join('\n'),
    );
  });

  it('text — breaks long sentences between words', () => {
    const words = Array.from({ length: 60 }, () => 'word').join(' ');
    const lines = asText(reportOf(right(words)), []).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).to.be.within(90, 100);
    expect(lines[3]).to.match(/^ {10}word/);
    expect(asText(reportOf(right('x'.repeat(200))), [])).to.contain(`right     ${'x'.repeat(200)}`);
  });

  for (const [findings, end] of [
    [[right('a')], 'Nothing is wrong.'],
    [[wrong('a'), wrong('b')], '2 things are wrong.'],
    [[unknown('a')], 'Nothing is wrong. One thing was not checked.'],
    [[unknown('a'), unknown('b'), wrong('c')], 'One thing is wrong. 2 things were not checked.'],
  ] as const) {
    it(`text — ends with "${end}"`, () => {
      expect(asText(reportOf(...findings), [])).to.match(new RegExp(`\n\n${end}\n$`));
    });
  }

  it('text — has the report of a login as Markdown', () => {
    const text = asText({ ...reportOf(right('a')), login: LOGIN }, []);
    expect(text)
      .to.contain('### Acme, 2026-11-29\n\npassport-acme 1.0.0, Node v20. Hosts: id.acme.test.')
      .and.contain('| Fact | |\n| --- | --- |\n| Refresh token | none |')
      .and.contain('| Token response | |\n| --- | --- |\n| a\\|b | text |');
  });

  it('JSON — has every field of the findings, and their number', () => {
    const finding = wrong('No.', { mend: 'Do.', code: 'c', host: 'h' });
    const report = { ...reportOf(right('Yes.'), finding), login: LOGIN };
    expect(JSON.parse(asJson(report, []))).to.deep.equal({
      provider: 'acme',
      title: 'Acme',
      package: 'passport-acme 1.0.0',
      wrong: 1,
      findings: [{ part: 'client', verdict: 'right', says: 'Yes.' }, finding],
      login: LOGIN,
    });
    expect(asJson(reportOf(), []))
      .to.match(/^\{\n {2}"provider"/)
      .and.match(/\}\n$/);
  });

  it('secrets — are left out, wherever they came from', () => {
    const report = reportOf(wrong(`It is ${SECRET}.`, { mend: encodeURIComponent(SECRET) }));
    for (const text of [asText(report, [SECRET]), asJson(report, [SECRET])]) {
      expect(text).to.contain('[redacted]').and.not.contain(SECRET);
    }
  });

  it('wrongsOf — counts what is wrong alone', () => {
    expect(wrongsOf({ findings: [right('a'), wrong('b'), unknown('c')] })).to.equal(1);
  });
});
