/** jose is loaded late, and once more when the first attempt fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const JOSE = join(__dirname, '..', '..', 'dist', 'values', 'jose');

/** A loader that has no file handle left for the first import of jose. */
const LOADER = `
  let failures = 0;
  export async function resolve(specifier, context, next) {
    if (specifier === 'jose' && failures === 0) {
      failures += 1;
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    }
    return await next(specifier, context);
  }
`;

describe('jose', () => {
  it('is imported again after an import that failed', () => {
    const script = `
      require('node:module').register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(LOADER)}));
      const { loadJose } = require(${JSON.stringify(JOSE)});
      loadJose()
        .catch(({ code }) => code)
        .then(async (code) => {
          const { compactDecrypt } = await loadJose();
          console.log(code, typeof compactDecrypt);
        });
    `;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stdout).to.equal('EMFILE function\n');
  });
});
