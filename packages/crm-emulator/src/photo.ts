/** The photos of the people at SalesOS: initials on a colour, drawn here, so that no page loads one from elsewhere. */
import type { Handler } from './endpoints.js';
import { markup } from './html.js';
import type { CompletePerson, People } from './people.js';
import type { Reply } from './reply.js';

const COLORS = ['#2b5c4f', '#8a3b5c', '#4a4fa3', '#7a4a12', '#2f5d80'] as const;

/** The policy stops an SVG file that is opened on its own from running scripts or loading anything. */
const PHOTO_HEADERS: Record<string, string> = {
  'cache-control': 'public, max-age=86400',
  'content-security-policy': "default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
};

export function photoURL(origin: string, { number }: CompletePerson): string {
  return `${origin}/photos/${number}.svg`;
}

export function photo(people: People): Handler {
  return ({ match }): Reply => {
    const person = people.byNumber(Number(match[1]));
    if (!person) return { status: 404, body: { error: 'Not found' } };
    return { status: 200, type: 'image/svg+xml', headers: PHOTO_HEADERS, body: drawPhoto(person) };
  };
}

function drawPhoto({ name, number }: CompletePerson): string {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">
  <title>${name}</title>
  <rect width="96" height="96" fill="${COLORS[number % COLORS.length]}" />
  <circle cx="78" cy="14" r="44" fill="#fff" fill-opacity=".12" />
  <text x="48" y="49" fill="#fff" font-family="system-ui, sans-serif" font-size="38"
    font-weight="600" text-anchor="middle" dominant-baseline="central">${initialsOf(name)}</text>
</svg>`.text;
}

/** First and last initial: "Zoë Ångström" → "ZÅ". */
function initialsOf(name: string): string {
  const letters = name.split(/\s+/).map((word) => /\p{L}\p{M}*/u.exec(word)?.[0] ?? '');
  const [first = '', ...others] = letters.filter(Boolean);
  return (first + (others.at(-1) ?? '')).toUpperCase();
}
