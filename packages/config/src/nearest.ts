/** The known name a person most likely meant: few edits away, case and -, _, . aside; undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = folded(name.slice(0, 100));
  let best: string | undefined;
  let least = Math.min(6, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = edits(wanted, folded(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

const folded = (name: string): string => name.toLowerCase().replace(/[-_]/g, ".");

/** Levenshtein distance, one row at a time. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
