/** Last argument of whatever may leave the process: its work stops, promptly, when the signal aborts. */
export interface Call {
  readonly signal: AbortSignal;
}
