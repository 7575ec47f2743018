/** Two ways to go through the pages: by the keyboard alone, and by the mouse. */
import { expect } from 'chai';
import type { Page } from 'playwright-core';

/** More than any page here has to stop at. */
const MAX_TABS = 90;

export interface Walker {
  /** Finds a link, a button or a fold by its whole text, and chooses it. */
  choose(text: string): Promise<void>;
}

interface Focus {
  text: string;
  /** Why a person does not see where the focus is; empty: they see it. */
  unseen: string;
}

/** Runs in the page. The start of a text on two lines, as that of the emulator's people, is its name. */
const FOCUS = `(() => {
  const element = document.activeElement;
  if (element === document.body || element === null) return { text: '', unseen: '' };
  const text = (element.innerText || element.value || '').trim();
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) return { text, unseen: 'no outline' };
  const [box] = element.getClientRects();
  if (!box || box.width < 8 || box.height < 8) return { text, unseen: 'no size' };
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const isInside = x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight;
  if (!isInside) return { text, unseen: 'outside the window' };
  const top = document.elementFromPoint(x, y);
  const isOnTop = element.contains(top) || (top !== null && top.contains(element));
  return { text, unseen: isOnTop ? '' : 'covered by ' + top?.outerHTML.slice(0, 80) };
})()`;

/** Tab, Enter and Space. Every stop on the way must be seen. */
export function byKeyboard(page: Page): Walker {
  let count = 0;
  return {
    async choose(text) {
      // The script of the page moves the focus to the heading, which is not a stop of the Tab key.
      await page.waitForLoadState();
      for (let tabs = 0; tabs < MAX_TABS; tabs += 1) {
        await page.keyboard.press('Tab');
        const focus = await page.evaluate<Focus>(FOCUS);
        expect(focus.unseen, `focus on "${focus.text}" of ${page.url()}`).to.equal('');
        if (focus.text === text) {
          count += 1;
          const isLink = (await page.evaluate('document.activeElement.localName')) === 'a';
          // Space chooses a button too, and is not for links.
          await page.keyboard.press(isLink || count % 2 === 0 ? 'Enter' : 'Space');
          return;
        }
      }
      throw new Error(`the Tab key does not lead to "${text}" on ${page.url()}`);
    },
  };
}

export function byMouse(page: Page): Walker {
  return {
    async choose(text) {
      const exact = { name: text, exact: true };
      await page.getByRole('button', exact).or(page.getByRole('link', exact)).first().click();
    },
  };
}
