/** The check that the options in the types stand in the pages, with the same default, and the reverse. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './support/packages';

const { check } = require('../scripts/check-options.js') as { check: (root: string) => string[] };

const GUIDE = 'docs/using-a-strategy.md';
const README = 'packages/passport-salesos/README.md';
const COMMON = 'packages/crm-oauth2/src/passport/strategy-options.ts';
const LOGIN = 'packages/crm-oauth2/src/passport/passport-types.ts';
const OWN = 'packages/passport-salesos/src/index.ts';

describe('options in the types and in the pages', () => {
  let folder: string;
  let faultsBefore: readonly string[];
  let restore = () => {};

  before('copy the types and the pages', () => {
    folder = mkdtempSync(join(tmpdir(), 'options-'));
    const isRead = /^packages(?:\/[\w-]+(?:\/README\.md|\/src(?:\/[\w./-]+)?)?)?$/;
    cpSync(join(ROOT, 'packages'), join(folder, 'packages'), {
      recursive: true,
      filter: (path) => isRead.test(relative(ROOT, path).split(sep).join('/')),
    });
    mkdirSync(join(folder, 'docs'));
    copyFileSync(join(ROOT, GUIDE), join(folder, GUIDE));
    faultsBefore = check(folder);
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => restore());

  /** The faults that a change of one file brings. */
  function faultsAfter(path: string, old: string | RegExp, text: string): string[] {
    const file = join(folder, path);
    const content = readFileSync(file, 'utf8');
    restore = () => writeFileSync(file, content);
    const changed = content.replace(old, () => text);
    expect(changed).to.not.equal(content);
    writeFileSync(file, changed);
    return check(folder).filter((fault) => !faultsBefore.includes(fault));
  }

  const BROKEN: Record<string, [path: string, old: string | RegExp, text: string, fault: RegExp]> =
    {
      'a row that is missing': [
        GUIDE,
        /^\| `verifyTimeout`.*\n/m,
        '',
        /^docs\/using-a-strategy\.md, "Set options": "verifyTimeout" of the types is missing$/,
      ],
      'a row of an option of Passport that is missing': [
        GUIDE,
        /^\| `userProperty`.*\n/m,
        '',
        /^docs\/using-a-strategy\.md, "Start a login": "userProperty" of the types is missing$/,
      ],
      'a row of a strategy that is missing': [
        README,
        /^\| `maxAge`.*\n/m,
        '',
        /^packages\/passport-salesos\/README\.md, "Options": "maxAge" of the types is missing$/,
      ],
      'another default in a page': [
        GUIDE,
        /^\| `proxy`( +)\| `false`/m,
        '| `proxy` | `true`',
        /"proxy" has the default "`true`", and "`false`" in the types$/,
      ],
      'another default in the types': [
        LOGIN,
        /Default: `user`\./,
        'Default: none.',
        /"Start a login": "userProperty" has the default "`user`", and "none" in the types$/,
      ],
      'a row of an option that does not exist': [
        GUIDE,
        /^\| `sessionKey`/m,
        '| `sessionName` | none | |\n| `sessionKey`',
        /"sessionName" is not an option of the types$/,
      ],
      'a row that stands there twice': [
        GUIDE,
        /^\| `sessionKey`/m,
        '| `proxy` | `false` | |\n| `sessionKey`',
        /"proxy" stands there twice$/,
      ],
      'a table without defaults': [
        GUIDE,
        /^\| Option of Passport( +)\| Default/m,
        '| Option of Passport | Usual',
        /"Start a login": there is no table that begins with "Option of Passport" and "Default"$/,
      ],
      'a new option': [
        OWN,
        '  audience?: string | undefined;\n',
        '  audience?: string | undefined;\n  /** A colour. Default: none. */\n  colour?: string;\n',
        /README\.md, "Options": "colour" of the types is missing$/,
      ],
      'an option without a text': [
        COMMON,
        '  /** Passes the request to verify as its first argument. Default: `false`. */\n',
        '',
        /strategy-options\.ts: "passReqToCallback" has no text\. Write/,
      ],
      'a text without a default': [
        COMMON,
        'in place of these. Default: none.',
        'in place of these.',
        /strategy-options\.ts: "tenant" has a text without its default\. End it with/,
      ],
      'a number without a unit': [
        COMMON,
        'Milliseconds for verify, from its call on.',
        'For verify.',
        /strategy-options\.ts: "verifyTimeout" is a number, and its text names no unit/,
      ],
      'an option of two types with two defaults': [
        'packages/crm-oauth2/src/passport/strategy-class.ts',
        '`true`: no profile request, and verify gets `undefined`. Default: `false`.',
        '`true`: no profile request. Default: `true`.',
        /strategy-class\.ts: "skipUserProfile" has the default "`true`", and elsewhere "`false`"$/,
      ],
      'an interface under another name': [
        COMMON,
        'export interface StrategyOptions<',
        'export interface Options<',
        /strategy-options\.ts: there is no interface "StrategyOptions"$/,
      ],
    };
  it('check-options.js — finds no fault in the types and pages as they are', () => {
    expect(faultsBefore).to.deep.equal([]);
  });

  for (const [name, [path, old, text, fault]] of Object.entries(BROKEN)) {
    it(`check-options.js — names ${name}`, () => {
      expect(faultsAfter(path, old, text).join('\n')).to.match(new RegExp(fault.source, 'm'));
    });
  }
});
