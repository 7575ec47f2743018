import { expect } from 'chai';
import { LruMap } from '../../dist/values/lru-map';

/** One entry for each letter. */
const mapOf = (size: number, names: string) => {
  const map = new LruMap<string, string>(size);
  for (const name of names) map.set(name, name);
  return map;
};

const kept = (map: LruMap<string, string>, names: string) =>
  Array.from(names)
    .filter((name) => map.get(name) !== undefined)
    .join('');

describe('LruMap', () => {
  it('keeps as many entries as it is told, those that were set last', () => {
    for (const names of ['abc', 'abcd', 'abcde', 'abcdef', 'abcdefg']) {
      const last = names.slice(-3);
      expect(kept(mapOf(3, names), last), names).to.equal(last);
    }
  });

  it('CWE-770 — holds less than twice as many', () => {
    const all = 'abcdefghijklmnopqrst';
    for (let count = 1; count <= all.length; count += 1) {
      const names = all.slice(0, count);
      // A map of its own for each, because reading changes it.
      const held = Array.from(names).filter((name) => kept(mapOf(3, names), name) === name);
      expect(held.length, names).to.be.below(6);
    }
    const map = new LruMap<number, number>(1000);
    for (let key = 0; key < 5000; key += 1) map.set(key, key);
    expect(map.get(3000)).to.equal(undefined);
    expect(map.get(4000)).to.equal(4000);
  });

  it('keeps an entry that was read, and forgets one that was not', () => {
    const map = mapOf(3, 'ab');
    for (const name of 'cdefgh') {
      expect(map.get('a'), name).to.equal('a');
      map.set(name, name);
    }
    expect(kept(map, 'ab')).to.equal('a');
  });

  it('gives the value that was set last', () => {
    const map = mapOf(3, 'abcd');
    map.set('a', 'new');
    map.set('d', 'newer');
    expect([map.get('a'), map.get('d')]).to.deep.equal(['new', 'newer']);
    for (const name of 'ef') map.set(name, name);
    expect([map.get('a'), map.get('d')]).to.deep.equal(['new', 'newer']);
  });

  it('forgets an entry that is deleted, be it old or new', () => {
    const map = mapOf(3, 'abcd');
    for (const name of 'ad') {
      map.delete(name);
      expect(map.get(name)).to.equal(undefined);
    }
    expect(kept(map, 'bc')).to.equal('bc');
  });

  it('keeps a single entry', () => {
    const map = mapOf(1, 'a');
    expect([map.get('b'), map.get('a'), map.get('a')]).to.deep.equal([undefined, 'a', 'a']);
    map.set('b', 'b');
    expect(kept(map, 'ab')).to.equal('b');
  });
});
