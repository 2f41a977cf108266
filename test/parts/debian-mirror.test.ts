import { expect, test } from "vitest";
import { debianMirror, mirrorIn } from "./debian-mirror.ts";

test.each([
  ["deb [signed-by=/k.gpg] https://mirror.example/debian bookworm main\n", "https://mirror.example/debian"],
  ["Types: deb\n# http://old.example/debian\nURIs: http://mirror.example/pub/debian/\nSuites: sid\n", "http://mirror.example/pub/debian"],
  ["URIs: http://mirror.example/debian-security\n", undefined],
  ["# deb http://mirror.example/debian sid main\n", undefined],
  ["", undefined],
])("%j", (text, mirror) => {
  expect(mirrorIn(text)).toBe(mirror);
});

test("the environment overrules the system", () => {
  expect(debianMirror({ COUNTERSIGN_DEBIAN_MIRROR: "http://mine.example/debian" })).toBe("http://mine.example/debian");
});
