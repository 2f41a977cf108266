import type { ChainsConfig } from "@countersign/config";
import { keyidOf } from "@countersign/in-toto-attestation";
import { describeKey, type KeySource } from "@countersign/signers-x509";
import type { Logger } from "./log.ts";
import { sentenceOf } from "./sentence.ts";

/** Who signs under this configuration. A key is not missed where certificates take its place. */
export async function introduceSigner(config: ChainsConfig, keys: KeySource, log: Logger): Promise<void> {
  const { fulcio, identityTokenFile } = config.signers.x509;
  const isUsed = Object.values(config.artifacts).some(({ enabled, signer }) => enabled && signer === "x509");
  if (!isUsed) return;
  if (!fulcio.enabled) return introduceKey(keys, log);
  const { address, provider } = fulcio;
  log.info({ fulcio: address, ...(provider && { provider }), ...(identityTokenFile && { identityTokenFile }) }, "keyless signing");
}

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
