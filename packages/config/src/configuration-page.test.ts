import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configurationPage } from "./configuration-page.ts";
import { keys } from "./keys.ts";

const page = new URL("../../../docs/configuration.md", import.meta.url);

test.skipIf(!existsSync(page))("docs/configuration.md is what `npm run docs` writes", () => {
  expect(readFileSync(page, "utf8")).toBe(configurationPage());
});

test("names every key exactly once, with its default", () => {
  const text = configurationPage();
  for (const { configKey } of Object.values(keys)) expect(text.split(`| \`${configKey}\` |`), configKey).toHaveLength(2);
});
