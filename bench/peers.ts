/** Installs the compared libraries, in a folder with a lock of its own, apart from the published packages. */
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PEERS } from './places';

const FOLDER = dirname(PEERS);

const changedAt = (file: string) => (existsSync(file) ? statSync(file).mtimeMs : 0);

export function installPeers(say: (what: string) => void): void {
  // npm writes this file at the end, so it is older than a lock that has changed.
  const installed = changedAt(join(FOLDER, 'node_modules', '.package-lock.json'));
  if (installed >= changedAt(join(FOLDER, 'package-lock.json'))) return;
  const npm = process.env.npm_execpath;
  say('installing the peers (once)');
  const options = ['ci', '--no-workspaces', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    execFileSync(npm ? process.execPath : 'npm', [...(npm ? [npm] : []), ...options], {
      cwd: FOLDER,
      stdio: 'inherit',
    });
  } catch {
    console.error('The peers could not be installed. Only our packages are measured.');
  }
}

export function isPeerInstalled(name: string): boolean {
  const isThere = existsSync(join(FOLDER, 'node_modules', name));
  if (!isThere) console.error(`${name} is not installed, and left out.`);
  return isThere;
}
