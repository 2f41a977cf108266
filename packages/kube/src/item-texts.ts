/** The source texts of a list's items, untouched: parsing and writing again would change the spelling of numbers and the order of keys. */
export function itemTexts(list: string): readonly string[] {
  const start = itemsAt(list);
  if (start < 0) return [];
  const texts: string[] = [];
  let at = start + 1;
  while (at < list.length && list[at] !== "]") {
    if (/[\s,]/.test(list[at] ?? "")) at++;
    else {
      const end = valueEnd(list, at);
      texts.push(list.slice(at, end));
      at = end;
    }
  }
  return texts;
}

/** Where the array of the top-level member "items" opens; -1 when there is none. */
function itemsAt(text: string): number {
  let at = text.indexOf("{") + 1;
  while (at > 0 && at < text.length) {
    at = skip(text, at, /[\s,]/);
    if (text[at] !== '"') return -1;
    const keyEnd = valueEnd(text, at);
    const key = text.slice(at, keyEnd);
    at = skip(text, keyEnd, /[\s:]/);
    if (key === '"items"') return text[at] === "[" ? at : -1;
    at = valueEnd(text, at);
  }
  return -1;
}

function skip(text: string, from: number, what: RegExp): number {
  let at = from;
  while (at < text.length && what.test(text[at] ?? "")) at++;
  return at;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [...'"\\{}[]'].map((c) => c.charCodeAt(0));

/** The index behind the JSON value that starts at `from`. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (code === 0x2c || code <= 0x20)) return at;
  }
  return text.length;
}

function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at + 1;
  }
  return text.length;
}
