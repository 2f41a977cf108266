import { createHash } from "node:crypto";
import { type Loose, Refused } from "./rekor-refusal.ts";

/** What the search index is asked for: whether the terms of an entry answer it. @throws Refused */
export function termsOf({ hash, email, publicKey: key, operator = "or" }: Loose): (terms: readonly string[]) => boolean {
  if (hash && !/^((sha512:)?[0-9a-f]{128}|(sha256:)?[0-9a-f]{64}|(sha1:)?[0-9a-f]{40})$/i.test(hash))
    throw new Refused(422, "hash in body is none");
  if (email && !/^[^@\s]+@[^@\s]+$/.test(email)) throw new Refused(422, "email in body is none");
  const wanted = [
    ...(hash ? [`${/^sha(256|512):/.test(hash) ? "" : "sha256:"}${hash}`.toLowerCase()] : []),
    ...(email ? [String(email).toLowerCase()] : []),
    ...(key ? [createHash("sha256").update(Buffer.from(key.content, "base64")).digest("hex")] : []),
  ];
  return (terms) => (operator === "and" ? wanted.every((term) => terms.includes(term)) : wanted.some((term) => terms.includes(term)));
}
