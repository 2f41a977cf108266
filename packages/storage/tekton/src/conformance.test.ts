import { storageConformance } from "@countersign/testing/conformance";
import { describe, test } from "vitest";
import { tektonStorage } from "./index.ts";

describe("the storage exam", () => storageConformance(test, () => ({ backend: tektonStorage() })));
