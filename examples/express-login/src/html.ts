/** Templates that escape every value: the only way in which this example makes HTML. */

/** Markup that is safe to send. Only {@link html} makes it. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | false | null | undefined | readonly Html[];

/** A template that escapes every value that is not itself {@link Html}. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const rendered = values.map((value, index) => render(value) + strings[index + 1]);
  return new Html(strings[0] + rendered.join(''));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(value: Value): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
