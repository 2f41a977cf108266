import { expect, test } from "vitest";
import { pemsIn } from "./pem.ts";

const pem = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;

test("blocks of one kind, in order, whatever stands between them", () => {
  const text = `a\n${pem("X", "1")}\n${pem("Y", "2")}b${pem("X", "3")}\n-----BEGIN X-----\nnever ends`;
  expect(pemsIn(text, "X")).toEqual([pem("X", "1"), pem("X", "3")]);
  expect([pemsIn("", "X"), pemsIn("-----END X-----", "X")]).toEqual([[], []]);
});

test("a megabyte that only begins is read once", () => {
  const start = performance.now();
  expect(pemsIn("-----BEGIN CERTIFICATE-----\n".repeat(40_000), "CERTIFICATE")).toEqual([]);
  expect(performance.now() - start).toBeLessThan(2_000); // quadratic, it took half a minute
});
