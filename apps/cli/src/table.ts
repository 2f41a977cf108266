/** Columns as wide as their widest cell; the last one as wide as it likes. `paint` colours a cell after it was measured. */
export function table(
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number, row: number) => string = (cell) => cell,
): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row, y) =>
      row
        .map((cell, x) => paint(cell, x, y) + " ".repeat(x < row.length - 1 ? (widths[x] ?? 0) - cell.length + 2 : 0))
        .join("")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
