/** A small repository in a temporary folder, which the scripts of a release judge. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Package } from './packages';

type Json = Record<string, unknown>;

const FOLDER = 'packages/crm-thing';
const URL = 'git+https://code.example/us/things.git';

/** A repository in which nothing is missing. */
const FILES: Record<string, string | Json> = {
  'package.json': {
    name: 'things',
    private: true,
    license: 'MIT',
    workspaces: ['packages/*'],
    repository: { type: 'git', url: URL },
  },
  'lerna.json': { version: '0.1.0' },
  'package-lock.json': { packages: { [FOLDER]: { version: '0.1.0' } } },
  LICENSE: 'MIT License\n',
  'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- A thing.\n',
  'README.md': '# Things\n',
  'docs/things.md': '# All things\n',
  'docs/images/thing.png': '',
  '.github/workflows/release.yml': 'permissions:\n  id-token: write\n',
  [`${FOLDER}/package.json`]: {
    name: 'crm-thing',
    version: '0.1.0',
    license: 'MIT',
    homepage: `https://code.example/us/things/tree/main/${FOLDER}#readme`,
    bugs: { url: 'https://code.example/us/things/issues' },
    repository: { type: 'git', url: URL, directory: FOLDER },
    files: ['lib', 'README.md', 'LICENSE'],
    publishConfig: { access: 'public', provenance: true },
  },
  [`${FOLDER}/LICENSE`]: 'MIT License\n',
  [`${FOLDER}/README.md`]: '# Thing\n',
  [`${FOLDER}/lib/index.js`]: "'use strict';\n",
};

export class Repository {
  readonly root = mkdtempSync(join(tmpdir(), 'release-'));
  readonly packages: Package[] = [{ name: 'crm-thing', folder: FOLDER }];

  constructor() {
    for (const [path, content] of Object.entries(FILES)) this.write(path, content);
  }

  /** Makes it a clone, whose tree is clean. */
  clone(): void {
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('remote', 'add', 'origin', 'https://name:secret@code.example/us/things.git');
    this.commit();
  }

  write(path: string, content: string | Json): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    writeFileSync(file, text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Changes fields of a JSON file; an undefined field goes. */
  change(path: string, fields: Json): void {
    this.write(path, { ...(JSON.parse(this.read(path)) as Json), ...fields });
  }

  /** Adds another package, with the same licence. */
  add(name: string, fields: Json): void {
    const folder = `packages/${name}`;
    this.packages.push({ name, folder });
    this.write(`${folder}/package.json`, { name, version: '0.1.0', ...fields });
    this.write(`${folder}/LICENSE`, this.read('LICENSE'));
  }

  git(...parameters: string[]): void {
    execFileSync('git', parameters, { cwd: this.root, stdio: 'pipe' });
  }

  commit(): void {
    this.git('add', '--all');
    const settings = ['user.name=Us', 'user.email=us@example.com', 'commit.gpgsign=false'];
    this.git(
      ...settings.flatMap((one) => ['-c', one]),
      'commit',
      '--quiet',
      '--allow-empty',
      '--message',
      'chore: commit',
    );
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

export const answer = (stdout: string, status = 0): Ran => ({ status, stdout, stderr: '' });
