import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SourceText, sourceNodeText } from "./source-text.ts";

describe("SourceText", () => {
  test("gives values as they are spelled", () => {
    const source = new SourceText('{ "a" : [1.50, {"b\\u0063": "x\\"]"}, [ ] ] , "a\\n":null}');
    expect(source.textAt(["a", 0])).toBe("1.50");
    expect(source.textAt(["a", 1, "bc"])).toBe('"x\\"]"');
    expect(source.textAt(["a", 2])).toBe("[ ]");
    expect(source.textAt(["a\n"])).toBe("null");
    expect(source.textAt([])).toBe(source.text);
    expect(source.textAt(["a", 9, "x"])).toBeUndefined();
  });

  test("takes the last of duplicate keys, as JSON.parse does", () => expect(new SourceText('{"a":1,"a":2.0}').textAt(["a"])).toBe("2.0"));

  test("agrees with JSON.parse on any JSON", () => {
    const property = fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(JSON.parse(sourceNodeText(new SourceText(text).tree()))).toEqual(JSON.parse(text));
    });
    fc.assert(property);
  });

  test("knows when numbers or strings need a closer look", () => {
    expect(new SourceText('{"a":1,"b":"c:1.5"}').mayHaveFractions).toBe(false);
    expect(new SourceText('{"a": 1e3}').mayHaveFractions).toBe(true);
    expect(new SourceText('{"a":-1.0}').mayHaveFractions).toBe(true);
    expect(new SourceText('"\\u003c"').mayHaveLoneSurrogates).toBe(false);
    expect(new SourceText('"\\uD83e"').mayHaveLoneSurrogates).toBe(true);
  });

  test("is not afraid of depth", () => {
    const deep = `${"[".repeat(100_000)}1.0${"]".repeat(100_000)}`;
    expect(new SourceText(deep).textAt([0, 0])).toHaveLength(deep.length - 4);
    expect(() => new SourceText(deep).tree()).toThrow(/levels deep/);
  });
});
