/** The blocks of a PEM text, in its order. A stranger's text is read once, however it was made to look. */
export function pemsIn(text: string, label: string): readonly string[] {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const pems: string[] = [];
  for (let start = text.indexOf(begin); start >= 0; start = text.indexOf(begin, start)) {
    const stop = text.indexOf(end, start);
    if (stop < 0) break;
    pems.push(text.slice(start, stop + end.length));
    start = stop + end.length;
  }
  return pems;
}
