import { expect, test } from "vitest";
import { HttpError } from "./fault.ts";
import { hostPolicy } from "./host-policy.ts";

const passes = (policy: ReturnType<typeof hostPolicy>, host: string, address: string): boolean => {
  try {
    policy(host, address);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    return false;
  }
};

const inside = ["10.1.2.3", "172.31.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"];
const never = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "fd00:ec2::254", "::", "::ffff:169.254.169.254", "100.100.100.200"];
const outside = ["8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1", "::ffff:8.8.8.8", "100.128.0.1"];

test.each(inside)("%s is private", (address) => {
  expect(passes(hostPolicy(), "registry.example", address)).toBe(true);
  expect(passes(hostPolicy({ allowPrivate: false }), "registry.example", address)).toBe(false);
});
test.each(never)("%s is refused whatever is allowed", (address) => {
  expect(passes(hostPolicy(), "registry.example", address)).toBe(false);
});
test.each(outside)("%s is the open internet", (address) => {
  expect(passes(hostPolicy({ allowPrivate: false }), "registry.example", address)).toBe(true);
});
test("hosts that are allowed by name, and metadata by its names", () => {
  const policy = hostPolicy({ allowPrivate: false, allow: ["registry.local", "*.corp.example"] });
  expect(passes(policy, "Registry.local", "10.0.0.1")).toBe(true);
  expect(passes(policy, "a.corp.example", "10.0.0.1")).toBe(true);
  expect(passes(policy, "corp.example", "10.0.0.1")).toBe(false);
  expect(passes(policy, "metadata.google.internal", "")).toBe(false);
});
