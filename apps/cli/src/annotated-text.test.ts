import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { annotatedText } from "./annotated-text.ts";

const more = { "chains.tekton.dev/b": "two", "chains.tekton.dev/a": 'quote " here' };

describe("YAML", () => {
  test("keeps comments, order and every other value", () => {
    const text = "# first\nkind: TaskRun\nmetadata:\n  name: x # named\n  annotations:\n    mine: kept\nspec:\n  value: 1.10\n";
    const next = annotatedText(text, more);
    expect(next).toContain("# first\nkind: TaskRun\nmetadata:\n  name: x # named\n");
    expect(next).toContain("value: 1.10\n");
    expect(parse(next)).toEqual({ kind: "TaskRun", metadata: { name: "x", annotations: { mine: "kept", ...more } }, spec: { value: 1.1 } });
  });

  test("annotations that are not there, or null, appear", () => {
    for (const text of ["metadata:\n  name: x\n", "metadata:\n  name: x\n  annotations:\n"])
      expect(parse(annotatedText(text, more)).metadata.annotations).toEqual(more);
  });

  test("a long value stays on its line", () => {
    expect(annotatedText("metadata:\n  name: x\n", { k: "a b ".repeat(100) }).split("\n").length).toBeLessThan(7);
  });
});

describe("JSON", () => {
  test.each(["", "  ", "    ", "\t"])("keeps the spelling of numbers, the order of keys and an indent of %j", (indent) => {
    const spelled = '{"metadata":{"labels":{},"annotations":{},"name":"x"},"spec":{"b":1e3,"a":[1.10,12345678901234567890]}}';
    const text = indent
      ? JSON.stringify(JSON.parse(spelled), null, indent)
          .replace("1000", "1e3")
          .replace("1.1,", "1.10,")
          .replace("12345678901234567000", "12345678901234567890")
      : spelled;
    const next = annotatedText(text, more);
    for (const number of ["1e3", "1.10", "12345678901234567890"]) expect(next).toContain(number);
    const value = JSON.parse(next);
    expect(value.metadata).toEqual({ labels: {}, annotations: more, name: "x" });
    expect(Object.keys(value.spec)).toEqual(["b", "a"]);
    if (indent)
      expect(next).toBe(
        `${JSON.stringify(value, null, indent).replace("1000", "1e3").replace("1.1,", "1.10,").replace("12345678901234567000", "12345678901234567890")}\n`,
      );
  });

  test("metadata that is not there appears", () => {
    expect(JSON.parse(annotatedText("{}", more))).toEqual({ metadata: { annotations: more } });
  });
});
