import { describe, expect, test } from "vitest";
import { HttpError } from "./fault.ts";
import { type HostPolicyOptions, hostPolicy } from "./host-policy.ts";

function passes(options: HostPolicyOptions, host: string, address: string): boolean {
  try {
    hostPolicy(options)(host, address);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    expect((error as HttpError).fault).toBe("refused-host");
    return false;
  }
}

const never = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "ff02::1", "fd00:ec2::254", "::"];
const neverEither = ["::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "100.100.100.200", "168.63.129.16"];
const inside = ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"];
const loopback = ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"];
const outside = ["8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1", "::ffff:8.8.8.8", "100.128.0.1"];

test.each([...never, ...neverEither])("%s is refused, whatever is allowed", (address) => {
  const everything = { allowPrivate: true, allowLoopback: true, allow: ["0.0.0.0/0", "::/0", "registry.example", address] };
  expect(passes(everything, "registry.example", address)).toBe(false);
  expect(passes(everything, address, address)).toBe(false);
});
test.each(inside)("%s is private", (address) => {
  expect(passes({}, "registry.example", address)).toBe(true);
  expect(passes({ allowPrivate: false }, "registry.example", address)).toBe(false);
});
test.each(loopback)("%s is loopback, refused unless it is listed", (address) => {
  expect(passes({}, "registry.example", address)).toBe(false);
  expect(passes({ allowPrivate: true }, address, address)).toBe(false);
  expect(passes({ allowLoopback: true }, "registry.example", address)).toBe(true);
  expect(passes({ allow: ["127.0.0.0/8", "::1"] }, "registry.example", address)).toBe(!address.startsWith("64:"));
});
test.each(outside)("%s is the open internet", (address) => {
  expect(passes({ allowPrivate: false }, "registry.example", address)).toBe(true);
});

describe("what is listed", () => {
  const strict = (...allow: string[]): HostPolicyOptions => ({ allowPrivate: false, allow });
  test.each([
    ["registry.local", "Registry.local", "10.0.0.1", true],
    ["registry.local", "registry.local.", "10.0.0.1", true],
    ["registry.local:5000", "registry.local", "10.0.0.1", true],
    ["registry.local", "a.registry.local", "10.0.0.1", false],
    ["*.corp.example", "a.corp.example", "10.0.0.1", true],
    ["*.corp.example", "a.b.corp.example", "10.0.0.1", true],
    ["*.corp.example", "corp.example", "10.0.0.1", false],
    ["*.corp.example", "evilcorp.example", "10.0.0.1", false],
    ["10.1.0.0/16", "registry.local", "10.1.2.3", true],
    ["10.1.0.0/16", "registry.local", "::ffff:10.1.2.3", true],
    ["10.1.0.0/16", "registry.local", "10.2.0.1", false],
    ["10.1.2.3:5000", "10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", "10.1.2.4", false],
    ["[fd00::1]:443", "registry.local", "fd00::1", true],
    ["fd00::/8", "registry.local", "fd12::1", true],
    ["127.0.0.1", "localhost", "127.0.0.1", true],
    ["localhost", "localhost", "127.0.0.1", true],
  ])("%s: %s at %s %s", (entry, host, address, expected) => {
    expect(passes(strict(entry), host, address)).toBe(expected);
  });

  test.each(["", "a b", "https://r.io", "*", "10.0.0.0/33", "fd00::/129", "10.0.0.0/x", "r.io/team", "*.", "a*b.io"])(
    "%j is no entry",
    (entry) => {
      expect(() => hostPolicy({ allow: ["r.io", entry] })).toThrow(TypeError);
    },
  );
});

test("behind a proxy the name alone is judged", () => {
  for (const name of ["metadata.google.internal", "METADATA.goog.", "instance-data"])
    expect(passes({ allow: [name] }, name, "")).toBe(false);
  for (const name of ["localhost", "a.localhost"])
    expect([passes({}, name, ""), passes({ allowLoopback: true }, name, "")]).toEqual([false, true]);
  for (const name of ["registry", "registry.ci.svc", "a.svc.cluster.local", "x.internal"])
    expect([
      passes({}, name, ""),
      passes({ allowPrivate: false }, name, ""),
      passes({ allowPrivate: false, allow: [name] }, name, ""),
    ]).toEqual([true, false, true]);
  expect(passes({ allowPrivate: false }, "registry.example", "")).toBe(true);
});
