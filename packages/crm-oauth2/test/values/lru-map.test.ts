import { expect } from 'chai';
import { LruMap } from '../../dist/values/lru-map';

describe('LruMap', () => {
  it('CWE-770 — holds as many entries as it may, and forgets the one that was set first', () => {
    const map = new LruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect([map.get('a'), map.get('b')]).to.deep.equal([1, 2]);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).to.deep.equal([undefined, 2, 3]);
  });

  it('keeps an entry that was read, and forgets the other one', () => {
    const map = new LruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).to.deep.equal([1, undefined, 3]);
  });

  it('keeps an entry that was set anew, with its new value, in no more room than before', () => {
    const map = new LruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 10);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).to.deep.equal([10, undefined, 3]);
  });

  it('forgets an entry that is deleted, and makes room for another', () => {
    const map = new LruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.delete('b');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).to.deep.equal([1, undefined, 3]);
  });

  it('does not make room for a key that it lacks', () => {
    const map = new LruMap<string, number>(1);
    map.set('a', 1);
    expect(map.get('b')).to.equal(undefined);
    expect(map.get('a')).to.equal(1);
  });

  it('forgets the oldest of thousands, one for each that comes', () => {
    const map = new LruMap<number, number>(1000);
    for (let key = 0; key < 5000; key += 1) map.set(key, key);
    expect(map.get(3999)).to.equal(undefined);
    expect(map.get(4000)).to.equal(4000);
  });
});
