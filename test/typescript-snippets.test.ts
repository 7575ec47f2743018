/** Each TypeScript snippet that makes a strategy says what a user of the application is. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './support/packages';

/** A strategy with its verify function, or such a function alone. */
const HANDS_ON_A_USER = /\bnew \w*Strategy\(|\bconst verify\b/;
const DECLARES_USERS =
  /^declare global \{\n {2}namespace Express \{\n {4}interface User (?:extends \w+ )?\{/m;

interface Snippet {
  /** The page and the line. */
  place: string;
  code: string;
}

function snippetsOf(page: string, text: string): Snippet[] {
  return [...text.matchAll(/^```(?:ts|typescript|tsx)\n([^]*?)^```/gm)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split('\n').length}`,
    code: match[1] ?? '',
  }));
}

/** The places of snippets that leave the type of the user open. */
const withoutUsers = (snippets: readonly Snippet[]) =>
  snippets
    .filter(({ code }) => HANDS_ON_A_USER.test(code) && !DECLARES_USERS.test(code))
    .map(({ place }) => place);

describe('TypeScript snippets', () => {
  it('of READMEs and pages — declare Express.User where they make a strategy', () => {
    const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' });
    const snippets = pages
      .trim()
      .split('\n')
      .flatMap((page) => snippetsOf(page, readFileSync(join(ROOT, page), 'utf8')));
    expect(snippets.filter(({ code }) => HANDS_ON_A_USER.test(code)).length).to.be.greaterThan(1);
    expect(withoutUsers(snippets)).to.deep.equal([]);
  });

  it('without Express.User — are found, with their page and line', () => {
    const snippet = (code: string) => `A page.\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
    const users = 'declare global {\n  namespace Express {\n    interface User {\n';
    const found = (code: string) => withoutUsers(snippetsOf('a.md', snippet(code)));
    expect(found('new Strategy(options, verify);')).to.deep.equal(['a.md:3']);
    expect(found('const verify = async () => null;')).to.deep.equal(['a.md:3']);
    expect(found(`${users}new AcmeStrategy(options, verify);`)).to.deep.equal([]);
    expect(found('class AcmeStrategy extends strategyFor(acme) {}')).to.deep.equal([]);
  });
});
