export { type AttestOptions, attestRun } from "./attest-run.ts";
export type { Draft, Drafts } from "./drafts.ts";
export { type Ledger, type LedgerOptions, memoryLedger } from "./ledger.ts";
export type { Observer } from "./observe.ts";
export { failuresOf, type Outcome, type Report } from "./report.ts";
