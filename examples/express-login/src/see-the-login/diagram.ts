/** A sequence diagram as SVG, without a script. Its colours come from the style sheet. */
import { html } from '../html';
import type { Html } from '../html';
import { masked } from './messages';
import type { Message } from './messages';

/** All lengths in pixels. */
const WIDTH = 780;
const LIFELINES = [80, 390, 700] as const;
const TOP = 60;
const LINE_HEIGHT = 17;
/** Of a character of the small text, which has a fixed width. */
const CHARACTER = 7.3;
const BESIDE_NUMBER = 20;
const BEFORE_ANSWER = 26;
const BETWEEN = 30;

/** @param lifelines their names, from left to right */
export function diagramOf(lifelines: readonly string[], messages: readonly Message[]): Html {
  const drawn: Html[] = [];
  let y = TOP;
  for (const [index, message] of messages.entries()) {
    const { part, end } = arrowOf(message, index + 1, y);
    drawn.push(part);
    y = end + BETWEEN;
  }
  const names = lifelines.map((name, index) => {
    const x = LIFELINES[index] ?? 0;
    return html`<line class="lifeline" x1="${x}" y1="36" x2="${x}" y2="${y}" />
      <rect class="who" x="${x - 78}" y="2" width="156" height="34" rx="10" />
      <text class="name" x="${x}" y="24" text-anchor="middle">${name}</text>`;
  });
  return html`<svg
    viewBox="0 0 ${WIDTH} ${y + 4}"
    width="${WIDTH}"
    height="${y + 4}"
    role="img"
    aria-label="Sequence diagram of the login. The list after it says the same in words."
  >
    ${names} ${drawn}
  </svg>`;
}

/** The text of a message over its arrow, and the arrow of the answer below. */
function arrowOf(message: Message, number: number, top: number): { part: Html; end: number } {
  const { from, to, kind, title, details, names, answer } = message;
  const [start, end] = [LIFELINES[from], LIFELINES[to]];
  const left = Math.min(start, end) + BESIDE_NUMBER;
  const width = Math.floor((Math.abs(end - start) - 2 * BESIDE_NUMBER) / CHARACTER);
  const rows = [
    ...wrap(title, width).map((text) => ['title', text] as const),
    ...wrap(details, width).map((text) => ['soft', text] as const),
    ...wrap(masked(names), width).map((text) => ['soft', text] as const),
  ];
  const texts = rows.map(([style, text], index) => {
    const y = top + (index + 1) * LINE_HEIGHT;
    return html`<text class="${style}" x="${left}" y="${y}">${text}</text>`;
  });
  const y = top + rows.length * LINE_HEIGHT + 8;
  const back = y + BEFORE_ANSWER;
  const style = kind === 'failure' && answer !== undefined ? 'request' : kind;
  const part = html`<g>
    ${texts} ${arrow(style, start, end, y)}
    <circle class="number ${style}" cx="${start}" cy="${y}" r="11" />
    <text class="digit" x="${start}" y="${y + 4}" text-anchor="middle">${number}</text>
    ${
      answer !== undefined &&
      html`<text class="soft" x="${left}" y="${back - 7}">${answer}</text>
        ${arrow(kind === 'failure' ? 'failure' : 'answer', end, start, back)}`
    }
  </g>`;
  return { part, end: answer === undefined ? y : back };
}

function arrow(style: string, from: number, to: number, y: number): Html {
  const side = Math.sign(to - from);
  const tip = to - side * 2;
  return html`<path class="arrow ${style}" d="M${from} ${y}H${tip - side * 9}" />
    <path class="head ${style}" d="M${tip} ${y}l${-side * 10} -5v10z" />`;
}

/** Lines of at most so many characters: at spaces, and inside of words that are longer. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  const words = text.match(new RegExp(`\\S{1,${width}}`, 'gu')) ?? [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
