import { expect, test } from "vitest";
import * as door from "./index.ts";

test("what goes through the door", () => {
  expect(Object.keys(door).sort()).toEqual([
    "RegistryError",
    "anonymous",
    "credentialsFrom",
    "emptyType",
    "fallbackTagOf",
    "imageConfigType",
    "imageManifestType",
    "indexType",
    "isDigest",
    "parseDockerConfig",
    "parseImageManifest",
    "parseIndex",
    "parseReference",
    "parseRepository",
    "registries",
    "sha256Of",
    "textOf",
  ]);
});
