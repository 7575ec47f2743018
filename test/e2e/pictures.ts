/** The pictures of docs/pictures: how each page is opened, photographed without its accidents, and compared. */
import type { Browser, Page } from 'playwright-core';
import { decode, encode, toRGBA8 } from 'upng-js';
import { answer, newPerson, startLogin } from './example';
import type { Example } from './example';

/** A picture for a README need not be sharper than the README is wide. */
export const DEVICES = {
  desk: { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 2 / 3 },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1 },
} as const;

export type Device = keyof typeof DEVICES;

export const SCHEMES = ['light', 'dark'] as const;

type Scheme = (typeof SCHEMES)[number];

/** The README shows a desk by day and a phone by night: the names of these have no more words. */
const SHOWN_SCHEME: Record<Device, Scheme> = { desk: 'light', phone: 'dark' };

export function fileOf(name: string, device: Device, scheme: Scheme): string {
  return `${name}-${device}${scheme === SHOWN_SCHEME[device] ? '' : `-${scheme}`}.png`;
}

/**
 * The share of the squares that may differ, from 0 to 1. DejaVu Serif in place of DejaVu Sans changes up to 0.024 of them;
 * a page whose content is 32 pixels lower changes more than this. On a phone a word more in a line moves the rest.
 */
export const TOLERANCE: Record<Device, number> = { desk: 0.03, phone: 0.05 };

interface Stage {
  page: Page;
  example: Example;
}

/** By the name of the file: the way to each page. */
export const PAGES: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'log-in': async ({ page, example }) => {
    await page.goto(example.baseURL);
  },
  'sign-in': async ({ page, example }) => {
    await startLogin(page, example, 'Salesforce');
  },
  connections: async (stage) => {
    await logIn(stage, 'SalesOS', 'Zoë Ångström');
    await connect(stage, 'Salesloft', 'Marta Quill');
    await stage.page.goto(`${stage.example.baseURL}/profile`);
  },
  'see-the-login': async (stage) => {
    await logIn(stage, 'Salesloft', 'Marta Quill');
    await stage.page.goto(`${stage.example.baseURL}/see-the-login`);
  },
  failure: async (stage) => {
    const { page, example } = stage;
    await startLogin(page, example, 'Salesforce');
    await answer(page, example, 'Continue as Dario Plum');
  },
  emulator: async (stage) => {
    await logIn(stage, 'Salesloft', 'Marta Quill');
    await stage.page.goto(stage.example.emulator.salesloft.origin);
  },
};

async function logIn({ page, example }: Stage, provider: string, who: string) {
  await startLogin(page, example, provider);
  await answer(page, example, `Continue as ${who}`);
}

async function connect({ page, example }: Stage, provider: string, who: string) {
  await page.getByRole('button', { name: `Connect ${provider}`, exact: true }).click();
  await answer(page, example, `Continue as ${who}`);
}

export interface Picture {
  width: number;
  height: number;
  /** RGBA. */
  data: Uint8Array;
}

/** Opens a page in a browser of its own; close the context of what it returns. */
export async function openPage(
  browser: Browser,
  example: Example,
  name: string,
  device: Device,
): Promise<Page> {
  // The small script of the example shows times as the visitor's clock does.
  const place = { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' } as const;
  const person = await newPerson(browser, { ...place, ...DEVICES[device] });
  const page = await person.newPage();
  await PAGES[name]?.({ page, example });
  await page.waitForLoadState('networkidle');
  await page.evaluate('scrollTo(0, 0)');
  await page.evaluate(withoutAccidents(namesOf(example)));
  return page;
}

export async function photograph(page: Page, colorScheme: Scheme): Promise<Picture> {
  await page.emulateMedia({ colorScheme });
  return read(await page.screenshot({ animations: 'disabled' }));
}

export function read(file: Buffer): Picture {
  const image = decode(new Uint8Array(file).buffer);
  const { width, height } = image;
  return { width, height, data: new Uint8Array(toRGBA8(image)[0]!) };
}

/** As a PNG of so many colours, which makes it a third as large. */
const COLOURS = 256;

export function toFile({ data, width, height }: Picture): Buffer {
  return Buffer.from(encode([new Uint8Array(data).buffer], width, height, COLOURS));
}

/** The ports that `npm start` uses, in place of the free ones of a test. */
function namesOf({ baseURL, emulator }: Example): [from: string, to: string][] {
  const { salesloft, salesos, salesforce } = emulator;
  const { sandbox, myDomain } = salesforce;
  const origins = [salesloft, salesos, salesforce, sandbox!, myDomain!];
  return [
    [new URL(baseURL).host, 'localhost:3000'],
    ...origins.map(({ origin }, index): [string, string] => [
      new URL(origin).host,
      `127.0.0.1:${4000 + index}`,
    ]),
  ];
}

/** Runs in the page: times, durations and ports become the same in every picture. */
const withoutAccidents = (names: [from: string, to: string][]) => `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const [from, to] of ${JSON.stringify(names)}) node.data = node.data.replaceAll(from, to);
    node.data = node.data
      .replace(/\\b\\d+ ms\\b/g, '12 ms')
      .replace(/\\b\\d+ s\\b/g, '2 s')
      .replace(/\\b\\d\\d? \\w+ \\d{4} at \\d\\d:\\d\\d\\b/g, '29 November 2026 at 12:00');
  }
})()`;

export interface Difference {
  /** Of the squares, those that differ: from 0 to 1. */
  share: number;
  reason?: string;
}

/** The side of the squares that are compared, in pixels. A letter is smaller, a moved block is larger. */
const SQUARE = 12;
/** Of pixelmatch: how far two colours may be apart, from 0 to 1. */
const COLOUR_THRESHOLD = 0.1;

/**
 * Compares two pictures square by square, each by its mean colour. So another font, which draws each letter
 * anew, changes a square little, and a block that moved or is gone changes all of its squares.
 */
export async function compare(before: Picture, after: Picture): Promise<Difference> {
  // An ES module.
  const { default: pixelmatch } = await import('pixelmatch');
  if (before.width !== after.width || before.height !== after.height) {
    const [was, is] = [before, after].map(({ width, height }) => `${width} × ${height}`);
    return { share: 1, reason: `${was} pixels became ${is}` };
  }
  const [old, now] = [coarse(before), coarse(after)];
  const { width, height } = old;
  const count = pixelmatch(old.data, now.data, undefined, width, height, {
    threshold: COLOUR_THRESHOLD,
    includeAA: true,
  });
  return { share: count / (width * height) };
}

/** The same picture in squares: each pixel is the mean of one. */
function coarse({ data, width, height }: Picture): Picture {
  const [columns, rows] = [Math.floor(width / SQUARE), Math.floor(height / SQUARE)];
  const small = { width: columns, height: rows, data: new Uint8Array(columns * rows * 4) };
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let channel = 0; channel < 4; channel += 1) {
        let sum = 0;
        for (let y = row * SQUARE; y < (row + 1) * SQUARE; y += 1) {
          for (let x = column * SQUARE; x < (column + 1) * SQUARE; x += 1) {
            sum += data[(y * width + x) * 4 + channel] ?? 0;
          }
        }
        small.data[(row * columns + column) * 4 + channel] = Math.round(sum / SQUARE ** 2);
      }
    }
  }
  return small;
}
