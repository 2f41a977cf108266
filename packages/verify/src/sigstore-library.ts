import { createRequire } from "node:module";
import type * as Core from "@sigstore/core";
import type * as Specs from "@sigstore/protobuf-specs";
import type * as Verify from "@sigstore/verify";

/**
 * All of them are CommonJS, so that they can be fetched at first use without making `verify` asynchronous: 40 ms of processor and 18 MB of memory that those
 * who verify with keys alone never pay.
 */
const require = createRequire(import.meta.url);

export const sigstoreVerify = (): typeof Verify => require("@sigstore/verify") as typeof Verify;
export const sigstoreCore = (): typeof Core => require("@sigstore/core") as typeof Core;
export const sigstoreSpecs = (): typeof Specs => require("@sigstore/protobuf-specs") as typeof Specs;

export type { Core, Specs, Verify };
