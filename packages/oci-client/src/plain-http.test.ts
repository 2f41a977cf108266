import { expect, test } from "vitest";
import { isLocal, plainHttpFor } from "./plain-http.ts";

test.each([
  ["localhost", true],
  ["localhost:5000", true],
  ["a.localhost:1", true],
  ["127.0.0.1", true],
  ["127.9.9.9:1", true],
  ["[::1]:5000", true],
  ["10.0.0.1", true],
  ["172.16.0.1", true],
  ["172.31.255.1:5000", true],
  ["192.168.1.1", true],
  ["172.32.0.1", false],
  ["192.169.1.1", false],
  ["11.0.0.1", false],
  ["10.example", false],
  ["127.0.0.1.example", false],
  ["localhost.example", false],
  ["registry.example", false],
])("%s is local: %s", (host, local) => {
  expect(isLocal(host)).toBe(local);
});

test("everywhere, as Docker does, or only where it is listed", () => {
  const [everywhere, asDocker, none] = [plainHttpFor(true), plainHttpFor(false), plainHttpFor([])];
  expect([everywhere("r.example"), asDocker("r.example"), none("r.example")]).toEqual([true, false, false]);
  expect([everywhere("10.0.0.1"), asDocker("10.0.0.1"), none("10.0.0.1")]).toEqual([true, true, true]);
  const listed = plainHttpFor(["r.example:5000", "*.dev.example", "10.1.0.0/16", "[fd00::1]"]);
  expect(["r.example:5000", "R.example:5000", "a.dev.example", "10.1.2.3:80", "[fd00::1]:5000"].every(listed)).toBe(true);
  expect(["r.example", "r.example:443", "dev.example", "10.2.0.1", "127.0.0.1:5000", "localhost"].some(listed)).toBe(false);
  expect(() => plainHttpFor(["https://r.example"])).toThrow(TypeError);
});
