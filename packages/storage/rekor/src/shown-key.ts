import { createHash, createPublicKey } from "node:crypto";
import { type Call, CountersignError, type TrustedKey } from "@countersign/core";
import { garbled, type Server } from "./server.ts";

/** The key that a Rekor v1 log shows. Who believes it trusts the way to the log, as Tekton Chains does. */
export async function shownKey(server: Server, call: Call): Promise<TrustedKey> {
  const answer = await server.ask({ path: "/api/v1/log/publicKey", headers: { accept: "application/x-pem-file" } }, call);
  if (answer.status !== 200) throw server.refusal(answer, "the log does not show its key; give a trust root that has it (trust.root)");
  try {
    const key = createPublicKey(Buffer.from(answer.body).toString());
    const keyId = createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("base64");
    return { keyId, publicKey: key.export({ type: "spki", format: "pem" }).toString(), url: server.base() };
  } catch {
    throw garbled(answer);
  }
}

/** Rekor v2 shows none. */
export async function noKeyShown(): Promise<never> {
  const sentence = "a Rekor v2 log does not show its key: give a trust root that has it (trust.root, trust.root.file or trust.tuf)";
  throw new CountersignError("config.trust-root", sentence, { retry: "hold" });
}
