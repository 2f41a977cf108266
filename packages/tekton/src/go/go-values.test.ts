import { describe, expect, test } from "vitest";
import { byBytes, sortedByBytes } from "./byte-order.ts";
import { durationText, parseDuration } from "./duration.ts";
import { compacted, goJson } from "./go-json.ts";
import { type Json, RawJson } from "./json.ts";
import { protoJson } from "./proto-json.ts";
import { canonicalQuantity } from "./quantity.ts";
import { isZeroTime, parseTime, protoText, secondsText, shortestText } from "./time.ts";

describe("quantities", () => {
  test.each([
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1000", "1k"],
    ["1500", "1500"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["1.1Ki", "1126400m"],
    ["0.3Mi", "314572800m"],
    ["1.0", "1"],
    [".5", "500m"],
    ["1e3", "1e3"],
    ["1E3", "1E3"],
    ["+1", "+1"],
    ["1.", "1."],
    ["0.1n", "1n"],
    ["0", "0"],
    ["-0", "0"],
    ["00", "0"],
    [" 1 ", "1"],
    ["-1.5", "-1500m"],
    ["8Gi", "8Gi"],
    ["9Gi", "9Gi"],
    ["256Mi", "256Mi"],
    ["22528.00Ei", "9223372036854775807"],
    ["999999999999999999999", "999999999999999999999"],
    ["1e1000000000", "10e999999999"],
    ["32264586786.000E", "32264586786E"],
    ["-02E-1", "-200e-3"],
    ["0.0000000001", "1n"],
  ])("%s is written %s", (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical));
  test.each(["", "a", "1x", "1..2", "--1", "1 Gi", "1e", "1ki", "e3", "1e99999999999"])("%j is none", (text) =>
    expect(canonicalQuantity(text)).toBeUndefined(),
  );
});

describe("durations", () => {
  test.each([
    ["1h", "1h0m0s"],
    ["90m", "1h30m0s"],
    ["1500ms", "1.5s"],
    ["0", "0s"],
    ["1us", "1µs"],
    ["1µs", "1µs"],
    ["-5m", "-5m0s"],
    ["+2m", "2m0s"],
    ["1.5h", "1h30m0s"],
    [".5s", "500ms"],
    ["1.s", "1s"],
    ["1ns", "1ns"],
    ["100h1ns", "100h0m0.000000001s"],
    ["1h1h", "2h0m0s"],
  ])("%s is written %s", (text, written) => expect(durationText(parseDuration(text) ?? -1n)).toBe(written));
  test.each(["", "1", "1d", ".s", "s", "1 s", "-", "1h-1m", "9999999999h", "2562048h", "99999999999999999999ns"])("%j is none", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
  test("the smallest is one further from zero than the largest", () => {
    expect(parseDuration("-9223372036854775808ns")).toBe(-(2n ** 63n));
    expect(parseDuration("9223372036854775808ns")).toBeUndefined();
  });
});

describe("times", () => {
  test.each([
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"],
    ["2026-02-28T23:30:00-01:30", "2026-03-01T01:00:00Z"],
    ["2024-02-29T00:00:00+12:00", "2024-02-28T12:00:00Z"],
    ["2026-01-31T1:02:03Z", "2026-01-31T01:02:03Z"],
    ["0001-01-01T00:00:01Z", "0001-01-01T00:00:01Z"],
    ["0099-12-31T23:59:59Z", "0099-12-31T23:59:59Z"],
    ["2026-01-31T12:00:00,5+24:60", "2026-01-30T11:00:00.5Z"],
    ["2026-01-31T12:00:00.1234567899Z", "2026-01-31T12:00:00.123456789Z"],
    ["2026-01-31T12:00:00.500Z", "2026-01-31T12:00:00.5Z"],
  ])("%s is %s", (text, utc) => expect(shortestText(parseTime(text) ?? { seconds: 0, nanos: 0 })).toBe(utc));
  test.each([
    "",
    "2026-01-31",
    "2026-01-31t12:00:00Z",
    "2026-01-31T12:00:00z",
    "2026-01-31T12:00:60Z",
    "2026-01-31T24:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00",
    "2026-01-31T12:00:00+25:00",
    "2026-01-3xT12:00:00Z",
  ])("%j is none", (text) => expect(parseTime(text)).toBeUndefined());
  test("each format has its own fraction", () => {
    const time = parseTime("2026-01-31T12:00:00.50Z") ?? { seconds: 0, nanos: 0 };
    expect([secondsText(time), shortestText(time), protoText(time)]).toEqual([
      "2026-01-31T12:00:00Z",
      "2026-01-31T12:00:00.5Z",
      "2026-01-31T12:00:00.500Z",
    ]);
    expect(protoText({ seconds: 0, nanos: 1000 })).toBe("1970-01-01T00:00:00.000001Z");
    expect(isZeroTime(parseTime("0001-01-01T00:00:00Z") ?? time)).toBe(true);
  });
});

describe("JSON", () => {
  const value = {
    b: "<&>\u2028é\u007f\u0001",
    a: new Map<string, Json>([
      ["10", 1],
      ["9", 2n ** 63n - 1n],
      ["-", -0],
    ]),
    c: undefined,
    d: [null, true, 1e21, 1e-7],
  };
  test("of protobuf sorts keys, counts in doubles and escapes nothing else", () => {
    expect(protoJson(value)).toBe('{"a":{"-":-0,"10":1,"9":9223372036854776000},"b":"<&>\u2028é\u007f\\u0001","d":[null,true,1e+21,1e-7]}');
  });
  test("of Go keeps the order of structs, sorts maps, counts exactly and escapes HTML", () => {
    expect(
      goJson({
        ...value,
        a: new Map<string, Json>([
          ["10", 1],
          ["9", 2n ** 63n - 1n],
        ]),
      }),
    ).toBe('{"b":"\\u003c\\u0026\\u003e\\u2028é\u007f\\u0001","a":{"10":1,"9":9223372036854775807},"d":[null,true,1e+21,1e-7]}');
  });
  test("passes raw JSON through, compacted or sorted", () => {
    const text = '{ "b" : [1.50, "a b\\" <"],\n "a":{} }';
    const raw = new RawJson(JSON.parse(text), () => text);
    expect(goJson(raw)).toBe('{"b":[1.50,"a b\\" \\u003c"],"a":{}}');
    expect(protoJson(raw)).toBe('{"a":{},"b":[1.5,"a b\\" <"]}');
    expect(compacted("[ ]")).toBe("[]");
  });
  test("refuses what would break the stack", () => {
    const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
    expect(() => protoJson(deep)).toThrow(/1000 levels/);
    expect(() => goJson(deep)).toThrow(/1000 levels/);
  });
  test("sorts keys by their bytes", () => {
    expect(sortedByBytes(["\u{1f98a}", "\uffff", "b", "a"])).toEqual(["a", "b", "\uffff", "\u{1f98a}"]);
    expect(byBytes("a", "ab")).toBeLessThan(0);
    expect(byBytes("\ue000", "\ud83e\udd8a")).toBeLessThan(0);
  });
});
