/** The page of the compatibility table says what its results say, and a single row replaces only itself. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { format, resolveConfig } from 'prettier';
import { CELLS } from './cells';
import { PAGE, merge, pageOf, readRows } from './results';
import type { Row } from './results';

const row = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  version: '1.0.0',
  date: '2026-01-02',
  packages: '0.1.0',
  node: '20.19.0',
  works: ['CommonJS'],
  fails: [],
  ...more,
});
const cells = ['a', 'b', 'c'].map((id) => ({ id, group: 'Tools', title: `Tool ${id}` }));

describe('docs/compatibility.md', () => {
  it('page — is what the results say', async () => {
    const options = await resolveConfig(PAGE);
    const text = await format(pageOf(readRows(), CELLS), { ...options, parser: 'markdown' });
    expect(readFileSync(PAGE, 'utf8')).to.equal(text);
  });

  it('results — have a row for each cell, and each cell has a name of its own', () => {
    const ids = CELLS.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(readRows().map(({ id }) => id)).to.deep.equal(ids);
  });

  it('merge — replaces the rows that were tried, keeps the others, and drops a row without a cell', () => {
    const merged = merge(
      [row('old'), row('c'), row('a')],
      [row('b'), row('a', { version: '2.0.0' })],
      cells,
    );
    expect(merged.map(({ id, version }) => `${id} ${version}`)).to.deep.equal([
      'a 2.0.0',
      'b 1.0.0',
      'c 1.0.0',
    ]);
  });

  it('page — shows a failure with its reason, and a cell that was not tried', () => {
    const fails = [{ step: 'ES modules', reason: 'no | such\nname' }];
    const rows = [row('a', { fails }), row('b', { version: '', notTried: 'not installable' })];
    const text = pageOf(rows, cells);
    expect(text).to.include(
      '| Tool a | 1.0.0 | CommonJS | ES modules: no \\| such name |  | 2026-01-02 |',
    );
    expect(text).to.include('| Tool b |  | not tried |  | not installable | 2026-01-02 |');
    expect(pageOf([row('a')], cells)).to.include('| Tool a | 1.0.0 | CommonJS | 2026-01-02 |');
  });
});
