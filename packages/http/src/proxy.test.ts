import { expect, test } from "vitest";
import { proxyFor } from "./proxy.ts";

const proxied = (url: string, NO_PROXY = "", more: Record<string, string> = {}): boolean =>
  proxyFor(new URL(url), { HTTPS_PROXY: "p:1", HTTP_PROXY: "p:2", NO_PROXY, ...more }) !== undefined;

test("by scheme, in either case, upper case first; the scheme of the proxy is http unless it says otherwise", () => {
  expect(proxyFor(new URL("https://a.io"), { https_proxy: "p:1" })).toBe("http://p:1");
  expect(proxyFor(new URL("https://a.io"), { HTTPS_PROXY: "https://q", https_proxy: "p:1" })).toBe("https://q");
  expect(proxyFor(new URL("http://a.io"), { HTTPS_PROXY: "p:1" })).toBeUndefined();
  expect(proxyFor(new URL("http://a.io"), { http_proxy: "socks5://s:1" })).toBe("socks5://s:1");
});

test.each([
  ["https://a.io", "*", false],
  ["https://a.io", "a.io", false],
  ["https://x.a.io", "a.io", false],
  ["https://xa.io", "a.io", true],
  ["https://a.io", ".a.io", true],
  ["https://x.a.io", ".a.io", false],
  ["https://x.a.io", "*.a.io", false],
  ["https://a.io", "*.a.io", true],
  ["https://a.io:8443", "a.io:8443", false],
  ["https://a.io", "a.io:8443", true],
  ["https://a.io", "a.io:443", false],
  ["http://a.io", "a.io:80", false],
  ["https://A.io.", " b.io , A.IO", false],
  ["https://10.96.0.1", "10.0.0.0/8", false],
  ["https://11.96.0.1", "10.0.0.0/8", true],
  ["https://10.96.0.1", "10.96.0.1", false],
  ["https://10.96.0.1:6443", "10.96.0.1:6443", false],
  ["https://110.96.0.1", "10.96.0.1", true],
  ["https://[fd00::1]", "fd00::/8", false],
  ["https://[fd00::1]", "fd00::1", false],
  ["https://[fd00::1]:444", "[fd00::1]:443", true],
  ["https://a.io", "10.0.0.0/99,nonsense/8,,", true],
  ["https://localhost:1", "", false],
  ["https://127.3.2.1", "", false],
  ["https://[::1]", "", false],
])("%s with NO_PROXY=%s is proxied: %s", (url, rules, expected) => {
  expect(proxied(url, rules)).toBe(expected);
});
