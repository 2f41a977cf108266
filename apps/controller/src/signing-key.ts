import type { Call } from "@countersign/core";
import { keyidOf } from "@countersign/in-toto-attestation";
import { pause } from "@countersign/kube";
import { describeKey, type KeySource } from "@countersign/signers-x509";
import type { Logger } from "./log.ts";
import { sentenceOf } from "./sentence.ts";

/** Which key signs, for whoever compares it with the public key of their verifiers; and what verifiers will stumble over. */
export async function introduceKey(keys: KeySource, log: Logger): Promise<void> {
  try {
    const { file, algorithm, publicKey, warning } = await describeKey(keys);
    log.info({ file, algorithm, keyid: keyidOrNone(publicKey) }, "signing key");
    if (warning) log.warn({ file, reason: warning }, "verifiers may not take this signing key");
  } catch (error) {
    log.warn({ reason: sentenceOf(error) }, "there is no signing key to use yet; what needs it will be on hold");
  }
}

/** SSH has no name for P-224. */
function keyidOrNone(publicKey: string): string | undefined {
  try {
    return keyidOf(publicKey);
  } catch {
    return undefined;
  }
}

/** A mounted Secret changes without telling anybody: it is looked at every few seconds, until the signal aborts. */
export async function followKey(keys: KeySource, changed: () => void, { signal }: Call, everyMs = 2_000): Promise<void> {
  const version = (): Promise<string> =>
    keys.current().then(
      (found) => found.version,
      () => "",
    );
  let known = await version();
  while (!signal.aborted) {
    await pause(everyMs, signal);
    const now = await version();
    if (signal.aborted || now === known) continue;
    known = now;
    changed();
  }
}
