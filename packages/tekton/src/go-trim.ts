// Go's unicode.IsSpace. Unlike String.prototype.trim it takes U+0085 for white space and leaves U+FEFF alone.
const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const leading = new RegExp(`^${space}+`);
const trailing = new RegExp(`${space}$`);

/** Go's strings.TrimSpace. */
export function goTrim(text: string): string {
  const start = text.replace(leading, "");
  let end = start.length;
  // from behind by hand: a pattern anchored at the end would be tried at every blank inside
  while (end > 0 && trailing.test(start.charAt(end - 1))) end--;
  return start.slice(0, end);
}
