import { html } from './html.js';
import type { Reply, Route } from './dialect.js';
import type { People, Resident } from './people.js';

const COLORS = ['#2b5c4f', '#8a3b5c', '#4a4fa3', '#7a4a12', '#2f5d80'] as const;

/** What a browser shows in an `img`: a picture that runs nothing and loads nothing. */
const HEADERS: Record<string, string> = {
  'cache-control': 'public, max-age=86400',
  'content-security-policy': "default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
};

/** Where the picture of a person is. */
export function photoURL(origin: string, { number }: Resident): string {
  return `${origin}/photos/${number}.svg`;
}

/** The pictures of all people, so that no page has to leave this machine for one. */
export function photoRoute(people: People): Route {
  return {
    methods: ['GET', 'HEAD'],
    path: /^\/photos\/(\d+)\.svg$/,
    handle: ({ match }): Reply => {
      const person = people.byNumber(Number(match[1]));
      if (!person) return { status: 404, body: { error: 'Not found' } };
      return { status: 200, type: 'image/svg+xml', headers: HEADERS, body: photoOf(person) };
    },
  };
}

function photoOf({ name, number }: Resident): string {
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">
    <title>${name}</title>
    <rect width="96" height="96" fill="${COLORS[number % COLORS.length]}" />
    <circle cx="78" cy="14" r="44" fill="#fff" fill-opacity=".12" />
    <text
      x="48"
      y="49"
      fill="#fff"
      font-family="system-ui, sans-serif"
      font-size="38"
      font-weight="600"
      text-anchor="middle"
      dominant-baseline="central"
    >
      ${initialsOf(name)}
    </text>
  </svg>`.text;
}

/** "Zoë Ångström" → "ZÅ" */
function initialsOf(name: string): string {
  const letters = name.split(/\s+/).map((word) => /\p{L}\p{M}*/u.exec(word)?.[0] ?? '');
  const [first = '', ...others] = letters.filter(Boolean);
  return (first + (others.at(-1) ?? '')).toUpperCase();
}
