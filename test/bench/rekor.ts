import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { attestRun, failuresOf } from "@countersign/attest";
import { route } from "@countersign/core";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { http } from "@countersign/http";
import { x509Signer } from "@countersign/signers-x509";
import { rekorWitness } from "@countersign/storage-rekor";
import { parseRun } from "@countersign/tekton";
import { memoryStorage } from "@countersign/testing";
import { sampleTaskRun } from "./sample-runs.ts";

export interface RekorFigure {
  readonly what: string;
  /** User and system time of this process for each attestation, in milliseconds. */
  readonly cpu: number;
  /** From the first to the last, on the wall, for each. */
  readonly wall: number;
  readonly limit: number;
}

const logProgram = new URL("../../packages/testing/src/servers/rekor-main.ts", import.meta.url);

/**
 * What an attestation costs that goes to a transparency log: statement, deterministic P-256 signature, entry, its verification, store. The log
 * runs in another process, so that its work is not counted.
 */
export async function rekorBench(rounds = 1_500): Promise<RekorFigure> {
  const log = spawn(process.execPath, [logProgram.pathname], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const { url } = await firstLine(log);
    return await measured(url, rounds);
  } finally {
    log.stdin?.end();
    await once(log, "exit");
  }
}

async function measured(url: string, rounds: number): Promise<RekorFigure> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signer = x509Signer({ keys: { current: async () => ({ version: "1", files: { "x509.pem": Buffer.from(pem) } }) } });
  const wire = http({ env: {} });
  const formatter = slsaV1({
    builderId: "https://tekton.dev/chains/v2",
    buildType: "https://tekton.dev/chains/v2/slsa",
    deepInspection: false,
    format: "slsa/v2alpha4",
  });
  const through = { signer, witnesses: [rekorWitness({ url, http: wire })], backends: [memoryStorage()] };
  const signal = new AbortController().signal;
  const warmUp = Math.ceil(rounds / 3);
  const texts = Array.from({ length: warmUp + rounds }, (_, index) => sampleTaskRun(6_000, index));
  const one = async (index: number): Promise<void> => {
    const run = parseRun(texts[index] ?? "");
    const [failure] = failuresOf(await attestRun(run, [route(run, formatter, through)], { signal }));
    if (failure) throw failure;
  };

  await many(0, warmUp, one); // warms the engine up
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  await many(warmUp, rounds, one);
  const { user, system } = process.cpuUsage(cpu);
  const wall = performance.now() - start;
  await wire.close();
  return {
    what: "an attestation with P-256, deterministic, and Rekor",
    cpu: rounded((user + system) / 1000 / rounds),
    wall: rounded(wall / rounds),
    limit: 3.3,
  };
}

/** Eight at a time, as a controller would. */
async function many(from: number, count: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + count) await one(next++);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

async function firstLine({ stdout }: ChildProcess): Promise<{ readonly url: string }> {
  if (!stdout) throw new Error("the log has no output");
  for await (const line of createInterface({ input: stdout })) return JSON.parse(line);
  throw new Error("the log did not start");
}

const rounded = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;

export const rekorLine = ({ what, cpu, wall, limit }: RekorFigure): string =>
  `  ${what}: ${cpu} ms user and system (at most ${limit}), ${wall} ms on the wall`;

if (import.meta.main) {
  const figure = await rekorBench();
  console.log(rekorLine(figure));
  process.exitCode = figure.cpu > figure.limit ? 1 : 0;
}
