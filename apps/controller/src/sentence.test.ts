import { CountersignError } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { CredentialsError, KubeError } from "@countersign/kube";
import { expect, test } from "vitest";
import { sentenceOf } from "./sentence.ts";

const canary = "canary-s3cret";

test("what was written for people is told as it is", () => {
  const status = { code: 500, reason: "", message: canary, causes: [] };
  for (const error of [
    new CountersignError("sign.key-missing", "there is no key", { retry: "hold", cause: new Error(canary) }),
    new KubeError("there is no key", status),
    new HttpError("connect", "there is no key"),
    new CredentialsError("there is no key", new Error(canary)),
  ])
    expect(sentenceOf(error)).toBe("there is no key");
});

test.each([
  () => JSON.parse(`{"token": ${canary}}`),
  () => {
    throw new TypeError(`cannot read ${canary}`);
  },
  () => {
    throw new Error(`failed\n    at ${canary}.ts:1:1`);
  },
  () => {
    throw Object.assign(new Error("x"), { name: canary });
  },
  () => {
    throw Object.assign(new Error(canary), { stack: undefined });
  },
  () => {
    throw canary;
  },
  () => {
    throw { message: canary };
  },
  () => {
    throw undefined;
  },
])("an unknown exception's message is never told: %s", (work) => {
  try {
    work();
    expect.unreachable();
  } catch (error) {
    const sentence = sentenceOf(error);
    expect(sentence).toMatch(/^an unexpected (SyntaxError|TypeError|Error|string|object|undefined)( at [\w.-]+:\d+)?: this is a bug/);
    expect(sentence).not.toContain("canary");
  }
});

test("its place in the code is", () => {
  expect(sentenceOf(new RangeError("x"))).toMatch(/an unexpected RangeError at sentence\.test\.ts:\d+:/);
});
