import { writeFileSync } from "node:fs";
import { configurationPage } from "@countersign/config";

/** The pages that are written from the code they describe. */
const pages: Readonly<Record<string, () => string>> = { "configuration.md": configurationPage };

for (const [name, page] of Object.entries(pages)) writeFileSync(new URL(name, import.meta.url), page());
