import type { CatalogHost } from "@countersign/catalog";
import { expect, test } from "vitest";
import { livePlan } from "./live-plan.ts";
import { sentenceOf } from "./sentence.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const host: CatalogHost = {
  keys: { current: async () => ({ version: "1", files: {} }) },
  env: {},
  credentials: () => async () => [],
  registryHttp: () => {
    throw new Error("nobody asks");
  },
  http: () => {
    throw new Error("nobody asks");
  },
};

function live() {
  const told: string[] = [];
  const plan = livePlan(host, {
    inForce: ({ config }, warnings) => told.push(`in force ${config.builder.id} ${warnings.join()}`),
    rejected: (error) => told.push(`rejected ${sentenceOf(error)}`),
  });
  return { plan, told };
}

test("nothing is in force before the first good configuration", async () => {
  const { plan, told } = live();
  expect(plan.current()).toBeUndefined();
  plan.changed({ "artifacts.taskrun.format": "nonsense" });
  await turn();
  expect([plan.current(), told.length, told[0]]).toEqual([undefined, 1, expect.stringMatching(/^rejected .*artifacts\.taskrun\.format/)]);
  plan.changed({ "builder.id": "one" });
  await turn();
  expect(plan.current()?.config.builder.id).toBe("one");
});

test("a bad one is reported, and what was in force stays, the very same", async () => {
  const { plan, told } = live();
  plan.changed({ "builder.id": "one" });
  await turn();
  const before = plan.current();
  plan.changed({ "artifacts.oci.signer": "nonsense" });
  await turn();
  expect(plan.current()).toBe(before);
  expect(told[1]).toMatch(/^rejected /);
});

test("four patches in a row are one rebuild, of the last", async () => {
  const { plan, told } = live();
  for (const id of ["1", "2", "3", "4"]) plan.changed({ "builder.id": id });
  expect(told).toEqual([]);
  await turn();
  await turn();
  expect(told).toEqual(["in force 4 "]);
});

test("warnings come with it; an empty ConfigMap is a configuration", async () => {
  const { plan, told } = live();
  plan.changed({ "builder.idd": "x" });
  await turn();
  plan.changed({});
  await turn();
  expect([told[0], told.length]).toEqual([expect.stringMatching(/builder\.idd/), 2]);
});
