/** The checks by hand that catch what most often goes wrong (WCAG 2.2 AA). */
import type { Page } from 'playwright-core';

/** Runs in the page; answers one line per problem. */
const CHECKS = `(() => {
  const problems = [];
  const say = (problem, element) =>
    problems.push(problem + ': ' + element.outerHTML.replace(/\\s+/g, ' ').slice(0, 90));
  const all = (selector) => [...document.querySelectorAll(selector)];

  if (!document.documentElement.lang) problems.push('no language');
  if (!document.title) problems.push('no title');
  if (all('main').length !== 1) problems.push('not one main');
  if (all('h1').length !== 1) problems.push('not one h1');
  for (const image of all('img')) if (image.alt === null) say('no alt', image);

  for (const control of all('a, button, summary')) {
    if (!control.checkVisibility()) continue;
    if (!control.innerText.trim()) say('no name', control);
    if (control.hasAttribute('aria-label')) say('a name that is not its text', control);
    // WCAG 2.5.8 excepts links inside a sentence.
    const inSentence = getComputedStyle(control).display === 'inline';
    if (!inSentence && control.getBoundingClientRect().height < 44) say('small target', control);
  }

  for (const field of all('input:not([type=hidden])')) {
    if (!field.labels.length) say('no label', field);
    if (field.checkVisibility() && field.getBoundingClientRect().height < 44) say('small field', field);
  }

  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color[3] === undefined || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  for (const element of all('body *')) {
    const hasText = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim(),
    );
    if (!hasText || !element.checkVisibility()) continue;
    const [light, dark] = [
      luminance(channels(getComputedStyle(element).color)),
      luminance(background(element)),
    ].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) say('contrast ' + ratio.toFixed(2), element);
  }

  if (document.documentElement.scrollWidth > innerWidth) problems.push('scrolls sideways');
  return problems;
})()`;

export async function accessibilityProblems(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(CHECKS);
}

/** The text of what has the focus, and whether one can see that it has. */
export async function focus(page: Page): Promise<{ text: string; visible: boolean }> {
  return await page.evaluate<{ text: string; visible: boolean }>(`(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return {
      text: document.activeElement.innerText,
      visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    };
  })()`);
}
