/** What a command sees of the world outside. Tests hand in a literal. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** A file as text; "-" is standard input. @throws CountersignError "read.no-file" */
  readText(path: string): Promise<string>;
  /** Asks without showing what is typed; undefined when nobody sits there. */
  askSecret(question: string): Promise<string | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly color: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Default 0. */
  exitWith(code: number): void;
}
