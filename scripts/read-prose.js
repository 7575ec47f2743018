/** Finds the prose of a file: the comments and strings of code, the paragraphs of Markdown. */
'use strict';

/**
 * Both readers return passages: `{ kind, text, offset, judgesStart }`. The text is as long as its source,
 * because marks that are not prose become blanks: an offset in the text leads to the line in the file.
 * `judgesStart` is false for headings and the like, where only the words count.
 */
const blank = (text) => text.replace(/[^\n]/g, ' ');
/** Inline code stays a word, so that a pattern sees the word before it and after it. */
const withoutCode = (text) =>
  text
    .replace(/^([ \t>*]*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t>*]*\2[^\n]*$|(?![\s\S]))/gm, blank)
    .replace(/`(?:[^`\n]|\n(?!\s*\n))+`/g, (code) => code.replace(/\S/g, '_'));

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y;
const WORD = /[\w$#\u0080-\uffff]+/y;
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y;
const KEYWORD_BEFORE_REGEX =
  /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)$/;

/** The comments, the strings and the texts of templates in JavaScript or TypeScript, in their order. */
function tokensOf(code) {
  const found = [];
  /** One number for each `${` that is open: the braces open inside it. */
  const openBraces = [];
  let at = 0;
  let regexMayFollow = true;

  const take = (pattern) => {
    pattern.lastIndex = at;
    const text = pattern.exec(code)?.[0];
    at += text?.length ?? 0;
    return text;
  };
  const takeTemplateText = () => {
    const offset = at;
    found.push({ kind: 'string', text: take(TEMPLATE_TEXT), offset });
    regexMayFollow = code.startsWith('${', at);
    if (regexMayFollow) openBraces.push(0);
    at += regexMayFollow ? 2 : 1;
  };
  const takeMark = () => {
    const mark = code[at++];
    const inTemplate = openBraces.length > 0;
    if (mark === '`' || (mark === '}' && openBraces.at(-1) === 0)) {
      if (mark === '}') openBraces.pop();
      takeTemplateText();
      return;
    }
    if (inTemplate && mark === '{') openBraces.push(openBraces.pop() + 1);
    if (inTemplate && mark === '}') openBraces.push(openBraces.pop() - 1);
    if (/\S/.test(mark)) regexMayFollow = !/[)\]}]/.test(mark);
  };

  while (at < code.length) {
    const offset = at;
    let text;
    if ((text = take(COMMENT))) found.push({ kind: 'comment', text, offset });
    else if ((text = take(STRING))) {
      found.push({ kind: 'string', text: text.slice(1, -1), offset: offset + 1 });
      regexMayFollow = false;
    } else if (regexMayFollow && take(REGEX)) regexMayFollow = false;
    else if ((text = take(WORD))) regexMayFollow = KEYWORD_BEFORE_REGEX.test(text);
    else takeMark();
  }
  return found;
}

const TITLE_CALL = /\b(?:describe|context|it|specify|test)(?:\.\w+)*\(\s*['"`]$/;

/** The passages of a JavaScript or TypeScript file. Line comments that follow each other are one passage. */
function passagesOfCode(code) {
  const passages = [];
  for (const { kind, text, offset } of tokensOf(code)) {
    if (kind === 'string') {
      const isTitle = TITLE_CALL.test(code.slice(Math.max(0, offset - 40), offset));
      const prose = text
        .replace(/\\n/g, '. ')
        .replace(/<[^<>]*>/g, (tag) => `.${blank(tag.slice(1))}`);
      passages.push({ kind: isTitle ? 'title' : 'string', text: prose, offset, judgesStart: true });
      continue;
    }
    const prose = withoutCode(text.replace(/^\/\*+|\*+\/$|^[ \t]*\*+(?!\/)|^\/\//gm, blank));
    const last = passages.at(-1);
    const between = last ? code.slice(last.offset + last.text.length, offset) : '';
    if (text.startsWith('//') && last?.isLine && /^[ \t]*\n[ \t]*$/.test(between)) {
      last.text += between + prose;
      continue;
    }
    const isLine = text.startsWith('//');
    passages.push({ kind: 'comment', text: prose, offset, judgesStart: true, isLine });
  }
  return passages.flatMap((one) => (one.kind === 'comment' ? paragraphsOf(one) : [one]));
}

/** Splits a comment at its empty lines, its list items and its tags. */
function paragraphsOf({ kind, text, offset, judgesStart }) {
  const begins =
    /^[ \t]*$|^[ \t]*(?:[-*+]|\d+\.)[ \t]|^[ \t]*@(?:param[ \t]+\S+(?:[ \t]+-)?|\w+)/gm;
  const cuts = [...text.matchAll(begins)].map(({ index }) => index);
  return [0, ...cuts].map((start, index) => {
    const part = text.slice(start, cuts[index] ?? text.length);
    return { kind, text: part.replace(begins, blank), offset: offset + start, judgesStart };
  });
}

/** The passages of a Markdown file: paragraphs, list items, headings, table cells. */
function passagesOfMarkdown(markdown) {
  const text = withoutCode(markdown.replace(/<!--[\s\S]*?-->/g, blank)).replace(
    /\]\([^)\s]*\)/g,
    (link) => `]${blank(link.slice(1))}`,
  );
  const passages = [];
  const lines = text.split('\n');
  let offset = 0;
  let open;
  const add = (part, start, judgesStart) => {
    open = { kind: 'markdown', text: part, offset: start, judgesStart };
    passages.push(open);
  };
  lines.forEach((line, index) => {
    const content = line.replace(/^[ \t]*(?:>[ \t]?)+/, blank);
    if (content.trim() === '') open = undefined;
    else if (/^[ \t]*\|/.test(content)) {
      const isHeader = /^[ \t]*\|[-:| \t]+$/.test(lines[index + 1] ?? '');
      let start = offset;
      for (const cell of content.split('|')) {
        add(cell, start, !isHeader);
        start += cell.length + 1;
      }
      open = undefined;
    } else if (/^[ \t]*(?:#{1,6}[ \t]|<summary>)/.test(content)) {
      add(content, offset, false);
      open = undefined;
    } else if (open && !/^[ \t]*(?:[-*+]|\d+\.)[ \t]/.test(content)) open.text += `\n${content}`;
    else add(content.replace(/^[ \t]*(?:[-*+]|\d+\.)[ \t]/, blank), offset, true);
    offset += line.length + 1;
  });
  return passages;
}

module.exports = { passagesOfCode, passagesOfMarkdown };
