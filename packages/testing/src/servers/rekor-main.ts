/**
 * The log in a process of its own, for tests that kill theirs and for figures that must not count it:
 * `node rekor-main.ts [--port 3000]`. Its first line says where it is, {"url","publicKey","logs"}; each line on its standard input is an
 * order, {"mood": "stalls"}, {"rotate": true} or {"entries": true}, answered by a line; it ends with its standard input.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { rekor } from "./rekor.ts";
import type { RekorMood } from "./rekor-mood.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const log = await rekor({ port: Number(values.port) });
const say = (value: object): void => console.log(JSON.stringify(value));
const state = (): object => ({ url: log.url, publicKey: log.publicKey, logs: log.logs });

say(state());
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as { readonly mood?: RekorMood | null; readonly rotate?: boolean; readonly entries?: boolean };
  if (order.mood !== undefined) log.mood = order.mood ?? undefined;
  if (order.rotate) log.rotate();
  say(order.entries ? { entries: log.entries.map(({ uuid, logIndex, kind, body }) => ({ uuid, logIndex, kind, body })) } : state());
}
await log.close();
