/** Finds the echo of a secret in a text, in whichever encoding it comes back. */
/*
 * By hand. A regular expression with a choice for each character takes exponential time where a secret
 * and a text both consist of backslashes, and a stranger may have written both: the code and the
 * description of an authorization response.
 */

/** One character of a secret other than a backslash, in each form in which it may come back; or the end. */
interface EchoedCharacter {
  /** The backslashes that the secret has in front of it. */
  slashes: number;
  /** As sent, in capitals and in small letters. */
  plain: readonly string[];
  /** In capitals: `%2F`. */
  encoded: string;
  /** The rest after a backslash in JSON, in capitals: `U002F`, and for a line feed `N`. */
  escaped: readonly string[];
}

/** The pieces of one secret. */
export type Echoes = readonly (readonly EchoedCharacter[])[];

/** Characters of a secret that are looked for at once. A provider may cut a long one off. */
const PIECE_LENGTH = 250;

/** An echo can be read in two ways where the secret has a `%` or a `u`. More ways than these are not followed. */
const MAX_WAYS = 4;

const BACKSLASH = 0x5c;
const PERCENT = 0x25;

/** A short secret as it is, a long one in equal pieces, so that none is a word by itself. */
export function echoesOf(secret: string): Echoes {
  const count = Math.ceil(secret.length / PIECE_LENGTH);
  if (count < 2) return [charactersOf(secret)];
  const length = Math.ceil(secret.length / count);
  const pieces = secret.match(new RegExp(`[^]{1,${length}}`, 'gu'));
  return Array.from(new Set(pieces), charactersOf);
}

function charactersOf(piece: string): readonly EchoedCharacter[] {
  // Backslashes at the end stand in front of nothing.
  const parts = piece.matchAll(/(\\*)([^\\])|\\+$/gu);
  return Array.from(parts, ([all, before = all, character = '']) => {
    const forms = ASCII[character.charCodeAt(0)] ?? formsOf(character);
    if (character < '\u0080') ASCII[character.charCodeAt(0)] = forms;
    return before === '' ? forms : { ...forms, slashes: before.length };
  });
}

function formsOf(character: string): EchoedCharacter {
  const hexOf = (unit: string) => `U${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const escaped = [character.split('').map(hexOf).join('\\').toUpperCase()];
  // A secret that was read with the newline of its file comes back as `\n`.
  if (character !== '' && character < ' ')
    escaped.push(JSON.stringify(character).slice(2, -1).toUpperCase());
  const plain = [character, character.toUpperCase(), character.toLowerCase()];
  if (character === ' ') plain.push('+');
  const encoded = Buffer.from(character).toString('hex').replace(/../g, '%$&').toUpperCase();
  return { slashes: 0, plain: [...new Set(plain)], encoded, escaped };
}

/** By code, each made when it is first met: secrets mostly consist of these. */
const ASCII: EchoedCharacter[] = [];

/** Where the echo of a secret ends that begins at a place of the text; the place itself when none does. */
export function endOfAny(text: string, at: number, secrets: readonly Echoes[]): number {
  let end = at;
  for (const secret of secrets) {
    const own = endOfOne(text, at, secret);
    if (own <= end) continue;
    end = own;
    // Another secret may begin within this one.
    const others = secrets.filter((other) => other !== secret).flat();
    for (let inner = at + 1; inner < end; inner += 1) {
      end = Math.max(end, endOfOne(text, inner, others));
    }
  }
  return end;
}

function endOfOne(text: string, at: number, pieces: Echoes): number {
  let end = at;
  // Backslashes in front are part of the echo, which begins with the first of them.
  if (text.charCodeAt(at) === BACKSLASH && text.charCodeAt(at - 1) === BACKSLASH) return end;
  for (const piece of pieces) end = Math.max(end, endOfEcho(text, at, piece));
  return end;
}

/** -1 when there is no echo. */
function endOfEcho(text: string, at: number, characters: readonly EchoedCharacter[]): number {
  let ends = [at];
  for (const character of characters) {
    const [end = at, ...more] = ends;
    const unit = text.charCodeAt(end);
    const isPlain = more.length === 0 && unit !== BACKSLASH && unit !== PERCENT;
    if (isPlain) {
      const form = character.plain.find((one) => text.startsWith(one, end));
      if (form === undefined) return -1;
      ends[0] = end + form.length;
    } else {
      const next = new Set(ends.flatMap((one) => endsOf(text, one, character)));
      if (next.size === 0) return -1;
      ends = [...next].slice(0, MAX_WAYS);
    }
  }
  return characters.length === 0 ? -1 : Math.max(...ends);
}

/** Where one character may end that begins at a place of the text. */
function endsOf(
  text: string,
  at: number,
  { slashes, plain, encoded, escaped }: EchoedCharacter,
): number[] {
  // JSON doubles backslashes, and may put one in front of any character.
  let start = at;
  while (text.charCodeAt(start) === BACKSLASH) start += 1;
  const ends = plain
    .filter((form) => text.startsWith(form, start))
    .map((form) => start + form.length);
  const encodedForms = start > at ? [encoded, ...escaped] : [encoded];
  for (const form of encodedForms) if (hasAt(text, start, form)) ends.push(start + form.length);
  // Those of the secret itself may be encoded too.
  for (const slash of slashes === 0 ? [] : ['%5C', '\\U005C']) {
    const all = slash.repeat(slashes);
    if (!hasAt(text, at, all)) continue;
    const character = { slashes: 0, plain, encoded, escaped };
    ends.push(...endsOf(text, at + all.length, character));
  }
  return ends;
}

/** @param form in capitals; the case of the text does not matter */
function hasAt(text: string, at: number, form: string): boolean {
  return (
    text.charAt(at).toUpperCase() === form.charAt(0) &&
    text.slice(at, at + form.length).toUpperCase() === form
  );
}
