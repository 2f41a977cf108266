const last: (() => void)[] = [];
let listening = false;

/** Runs when this process ends; a test runner ends its workers with SIGTERM, which by itself would skip every exit handler. */
export function atExit(work: () => void): void {
  last.push(work);
  if (listening) return;
  listening = true;
  process.once("exit", () => {
    for (const one of last.reverse()) one();
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
}
