/** The command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { USAGE, UsageError, readCommandLine } from '../../dist/check/command-line';
import { SECRET, thrown } from '../support';

const read = (argv: readonly string[], environment = {}, folder = tmpdir()) =>
  readCommandLine(argv, environment, folder);

describe('command line of the check', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crm-oauth2-check-'));
    writeFileSync(join(folder, '.env'), `ACME_CLIENT_ID=file\nACME_CLIENT_SECRET="${SECRET}"\n`);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('check PACKAGE — has defaults', () => {
    expect(read(['check', 'passport-acme'], { A: '1' })).to.deep.equal({
      package: 'passport-acme',
      environment: { A: '1' },
      prefix: undefined,
      callbackURL: undefined,
      provider: undefined,
      isPublic: false,
      isLogin: false,
      isJson: false,
      timeoutMs: 10_000,
      waitMs: 300_000,
    });
  });

  it('options — are read before and after the package', () => {
    const argv = '--json check ./acme --login --public --prefix MY_ --callback https://a.test/cb';
    const more = '--provider acme --timeout 3 --wait 600';
    expect(read(`${argv} ${more}`.split(' '))).to.include({
      package: './acme',
      prefix: 'MY',
      callbackURL: 'https://a.test/cb',
      provider: 'acme',
      isPublic: true,
      isLogin: true,
      isJson: true,
      timeoutMs: 3000,
      waitMs: 600_000,
    });
  });

  it('--env-file — adds variables, below those of the environment', () => {
    const argv = ['check', 'passport-acme', '--env-file', '.env'];
    expect(read(argv, { ACME_CLIENT_ID: 'shell' }, folder)).to.deep.include({
      environment: { ACME_CLIENT_ID: 'shell', ACME_CLIENT_SECRET: SECRET },
    });
  });

  it('--help, --version — are told apart, whatever else there is', () => {
    expect(read(['--help'])).to.equal('help');
    expect(read(['check', 'a', 'b', '--version'])).to.equal('version');
  });

  it('help — names each option and exit status', () => {
    for (const words of [
      'check PACKAGE',
      '--env-file FILE',
      '--login',
      '--json',
      'Exit status: 0',
    ]) {
      expect(USAGE).to.contain(words);
    }
  });

  it('help — says what each option is for, in one line', () => {
    const lines = USAGE.split('\n').filter((line) => line.startsWith('  --'));
    expect(lines).to.have.lengthOf(11);
    for (const line of lines) expect(line).to.match(/^ {2}--[a-z-]+(?: [A-Z]+)? +[a-z].{10,70}$/);
    const beginnings = lines.map((line) => line.search(/ [a-z]/) + 1);
    expect(new Set(beginnings).size).to.equal(1);
  });

  for (const [argv, words] of [
    [[], 'the command is "check".'],
    [['chekc', 'passport-acme'], 'the command is "check".'],
    [['check'], 'a package is missing, such as passport-acme.'],
    [['check', 'a', 'b'], 'one package at a time.'],
    [['check', 'a', '--jsno'], "Unknown option '--jsno'."],
    [['check', 'a', '--prefix', 'A-B'], '--prefix must be the beginning of a name, such as ACME.'],
    [['check', 'a', '--timeout', '0'], '--timeout must be a number of seconds from 1 to 600.'],
    [['check', 'a', '--wait', '601'], '--wait must be a number of seconds from 1 to 600.'],
    [['check', 'a', '--wait', '1s'], '--wait must be a number of seconds from 1 to 600.'],
  ] as const) {
    it(`misuse — "${argv.join(' ')}" is explained`, () => {
      const error = thrown(() => read(argv));
      expect(error).to.be.instanceOf(UsageError);
      expect(error.message).to.equal(words);
    });
  }

  it('misuse — a file that cannot be read is named', () => {
    const argv = ['check', 'a', '--env-file', 'missing.env'];
    expect(thrown(() => read(argv, {}, folder)).message).to.equal(
      `--env-file: ${join(folder, 'missing.env')} cannot be read (ENOENT).`,
    );
  });
});
