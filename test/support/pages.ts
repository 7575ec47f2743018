/** The code of the documents, to be run as it is written there. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** The blocks of JavaScript under a heading, up to the next one of its level. */
export function blocks(path: string, heading: string): string[] {
  const page = readFileSync(join(ROOT, path), 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/```js\n([^]*?)```/g)].map(
    ([, code]) => code ?? '',
  );
}

/** Runs a block with these variables in scope, and returns the value of an expression after it. */
export async function run(
  code: string,
  result: string,
  scope: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const names = ['require', ...Object.keys(scope)];
  const values = [createRequire(__filename), ...Object.values(scope)];
  const body = `return (async () => { ${code}\nreturn ${result}; })()`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the code of a document is what is tested
  const block = new Function(...names, body) as (...parameters: unknown[]) => Promise<unknown>;
  return await block(...values);
}
