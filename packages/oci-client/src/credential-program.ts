import { spawn } from "node:child_process";
import type { Credential } from "./credential.ts";

export interface HelperOptions {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long a credential helper may take. Default 10 s. */
  readonly helperMs?: number;
}

const maxAnswerBytes = 64 * 1024;

/**
 * Asks docker-credential-<name> (github.com/docker/docker-credential-helpers, "get"). Undefined when it knows nothing of the server.
 * What it prints is a secret, also when it fails, so no error repeats it.
 *
 * @throws TypeError naming the program and what became of it
 */
export async function helperCredential(
  name: string,
  serverUrl: string,
  { source, signal, env = process.env, helperMs = 10_000 }: HelperOptions & { readonly source: string },
): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw new TypeError(`${source} names a credential helper that is no file name`);
  const { code, output } = await answerOf(program, serverUrl, { signal, env, helperMs, source });
  if (code !== 0 && /credentials not found/i.test(output)) return undefined;
  if (code !== 0) throw new TypeError(`${program}, named in ${source}, failed with exit code ${code}`);
  const { Username, Secret } = objectFrom(output, program);
  if (typeof Username !== "string" || typeof Secret !== "string" || Secret === "") return undefined;
  if (Username === "<token>") return { kind: "identity-token", token: Secret, source: `${program} (${source})` };
  return { kind: "basic", username: Username, password: Secret, source: `${program} (${source})` };
}

interface Answer {
  readonly code: number | null;
  readonly output: string;
}

function answerOf(
  program: string,
  input: string,
  { signal, env, helperMs, source }: Required<HelperOptions> & { readonly source: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], {
      env: { ...env },
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      timeout: helperMs,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxAnswerBytes) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason);
      else reject(new TypeError(`${program}, named in ${source}, cannot be run (${error.code ?? error.name}); is it on PATH?`));
    });
    child.on("close", (code, killedBy) => {
      if (signal.aborted) reject(signal.reason);
      else if (killedBy) reject(new TypeError(`${program}, named in ${source}, gave no answer within ${helperMs} ms`));
      else resolve({ code, output: Buffer.concat(chunks).toString("utf8") });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function objectFrom(text: string, program: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // The text may be a secret: it is not repeated.
  }
  throw new TypeError(`${program} printed no JSON object`);
}
