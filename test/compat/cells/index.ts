/** All cells, in the order of the page. */
import type { Cell } from '../cell';
import { BUNDLER_CELLS } from './bundlers';
import { NEXT } from './next';
import { RUNTIMES } from './node';
import { PACKAGE_MANAGERS } from './package-managers';
import { PASSPORT } from './passport';
import { RUNNERS } from './runners';
import { TARBALLS } from './tarballs';
import { COMPILERS } from './typescript';

export const CELLS: readonly Cell[] = [
  ...RUNTIMES,
  ...PASSPORT,
  ...COMPILERS,
  ...RUNNERS,
  ...BUNDLER_CELLS,
  NEXT,
  ...PACKAGE_MANAGERS,
  ...TARBALLS,
];
