/** The test runners that the packages are tried in. The first test that needs them installs them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/packages';

export const RUNNERS = join(ROOT, 'test', 'packaging', 'runners');
const INSTALL_LIMIT_MS = 300_000;

export function installRunners(): void {
  const names = ['jest', 'vitest', '@playwright/test'];
  if (names.every((name) => existsSync(join(RUNNERS, 'node_modules', name)))) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: RUNNERS,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    timeout: INSTALL_LIMIT_MS,
  });
}
