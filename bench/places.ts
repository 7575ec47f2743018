/** Where things are: this file runs from `dist`, and the sources and peers are beside that folder. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const BENCH = join(__dirname, '..');
export const ROOT = join(BENCH, '..');

/** The manifest of the compared libraries, which are installed apart, with a lock of their own. */
export const PEERS = join(BENCH, 'peers', 'package.json');

export const requirePeer = createRequire(PEERS);
