import fc from "fast-check";
import { expect, test } from "vitest";
import { itemTexts } from "./item-texts.ts";

test("items keep their spelling", () => {
  const items = ['{"b":1,"a":2.50}', '{"n":9007199254740993,"s":"]},{\\"\\\\"}', "{}"];
  expect(itemTexts(`{"kind":"List","metadata":{"items":[1]},"items":[${items.join(", ")}],"x":[]}`)).toEqual(items);
});

test.each(["", "{}", '{"items":null}', '{"items":[]}', "[1]", '{"items":', "null", '{"a":{"items":[{}]}}'])("no items in %s", (text) => {
  expect(itemTexts(text)).toEqual([]);
});

test("any list of objects comes apart as JSON.parse would see it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      fc.jsonValue(),
      fc.constantFrom(undefined, 1),
      (items, meta, space) => {
        const texts = itemTexts(JSON.stringify({ metadata: meta, items }, undefined, space));
        expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(items)));
      },
    ),
  );
});
