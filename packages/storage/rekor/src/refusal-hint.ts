import type { Signature } from "@countersign/core";
import { keyInWords } from "./verifier.ts";

/** What to do about a log that did not take an entry: its own words may be anybody's, the status says enough. */
export function refusalHint(status: number, signature: Signature, version: "v1" | "v2"): string {
  const other = version === "v1" ? "v2" : "v1";
  if (status === 401 || status === 403) return "the log wants credentials, and none are configured for logs; have the way to it add them";
  if (status === 404 || status === 501)
    return `transparency.url must name a Rekor ${version} server, or transparency.version must be ${other}`;
  if (status === 413)
    return "the entry is too large for the log; raise its limit, or set transparency.entry-kind to dsse, which keeps only hashes";
  return `the log does not take this entry, signed with ${keyInWords(signature)}; its client signing algorithms say what it takes`;
}
