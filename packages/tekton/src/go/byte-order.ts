/**
 * Compares two strings by their UTF-8 bytes, as Go sorts map keys. JavaScript compares UTF-16 units, which differs in one point only:
 * surrogates (characters above U+FFFF) belong behind U+E000..U+FFFF.
 */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** The keys in byte order; the list itself when it already is. */
export function sortedByBytes(keys: string[]): string[] {
  for (let i = 1; i < keys.length; i++) {
    if (byBytes(keys[i - 1] as string, keys[i] as string) > 0) return keys.sort(byBytes);
  }
  return keys;
}
