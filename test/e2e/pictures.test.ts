/** The pictures of docs/pictures, made again and compared; `npm run pictures` writes them. Needs chromium. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { launchBrowser, startExample } from './example';
import type { Example } from './example';
import {
  compare,
  DEVICES,
  fileOf,
  openPage,
  PAGES,
  photograph,
  read,
  SCHEMES,
  TOLERANCE,
  toFile,
} from './pictures';
import type { Device } from './pictures';

const FOLDER = join(__dirname, '../../docs/pictures');
const IS_WRITING = process.argv.includes('--write');

const MAX_BYTES = 60 * 1024;

const DEVICE_NAMES = Object.keys(DEVICES) as Device[];

describe('pictures', function () {
  this.timeout(60_000);
  let browser: Browser | undefined;
  let example: Example;

  before(async function () {
    browser = await launchBrowser(this);
  });
  after(() => browser?.close());
  beforeEach(async () => {
    example = await startExample();
  });
  afterEach(() => example.close());

  for (const device of DEVICE_NAMES) {
    for (const name of Object.keys(PAGES)) {
      const behaviour = IS_WRITING ? 'is written' : 'looks as in docs/pictures';
      it(`${name}, ${device} — ${behaviour}, in light and dark`, async () => {
        const page = await openPage(browser!, example, name, device);
        for (const scheme of SCHEMES) {
          const picture = await photograph(page, scheme);
          const file = join(FOLDER, fileOf(name, device, scheme));
          if (IS_WRITING) {
            mkdirSync(FOLDER, { recursive: true });
            writeFileSync(file, toFile(picture));
          }
          const { share, reason } = await compare(read(readFileSync(file)), picture);
          const percent = (100 * share).toFixed(1);
          const found = reason ?? `${percent} % of the squares differ`;
          expect(
            share,
            `${found}. Look at the page, then run "npm run pictures": ${file}`,
          ).to.be.at.most(TOLERANCE[device]);
        }
        await page.context().close();
      });
    }

    it(`comparison, ${device} — passes over another font, and notices what moved or is gone`, async () => {
      const page = await openPage(browser!, example, 'log-in', device);
      for (const scheme of SCHEMES) {
        const before = await photograph(page, scheme);
        const differenceWith = async (css: string) => {
          await page.evaluate(`(() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(${JSON.stringify(css)});
            document.adoptedStyleSheets = [sheet];
          })()`);
          return (await compare(before, await photograph(page, scheme))).share;
        };
        expect(await differenceWith('* { font-family: serif !important }')).to.be.below(
          TOLERANCE[device],
        );
        for (const css of ['main { transform: translateY(32px) }', '.card { display: none }']) {
          expect(await differenceWith(css), css).to.be.above(TOLERANCE[device]);
        }
        await differenceWith('');
      }
      await page.context().close();
    });
  }

  it('folder — has these pictures alone, each small', () => {
    const wanted = Object.keys(PAGES).flatMap((name) =>
      DEVICE_NAMES.flatMap((device) => SCHEMES.map((scheme) => fileOf(name, device, scheme))),
    );
    expect(readdirSync(FOLDER)).to.have.members(wanted);
    for (const name of wanted) {
      expect(readFileSync(join(FOLDER, name)).length, name).to.be.at.most(MAX_BYTES);
    }
  });
});
