import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fulcio, rekor, trustedRoot } from "@countersign/testing";

/** A CA and a log of the story's own, and what a controller needs to be let in and to believe them. */
export interface Sigstore {
  /** For chains-config. */
  readonly settings: Readonly<Record<string, string>>;
  /** For whoever verifies. */
  readonly trustedRoot: string;
  readonly identity: string;
  readonly issuer: string;
  close(): Promise<void>;
}

const tokenLifeMs = 600_000;

/** Fulcio with its CT log and OIDC issuer, and Rekor; a projected token and a trusted_root.json in the folder. */
export async function startSigstore(folder: string): Promise<Sigstore> {
  const [ca, log] = await Promise.all([fulcio(), rekor()]);
  const identity = `${ca.issuer.url}/ns/tekton-chains/sa/tekton-chains-controller`;
  const files = { token: join(folder, "oidc-token"), root: join(folder, "trusted_root.json") };
  const writeToken = (): void => writeFileSync(files.token, `${ca.issuer.token({ sub: identity })}\n`, { mode: 0o600 });
  writeToken();
  // As kubelet does with a projected token.
  const renewal = setInterval(writeToken, tokenLifeMs / 2).unref();
  const certificateAuthorities = [{ url: ca.url, certificates: ca.certificates }];
  writeFileSync(files.root, trustedRoot({ certificateAuthorities, ctLogs: ca.ctLogs, logs: log.logs }));
  return {
    settings: {
      "signers.x509.fulcio.enabled": "true",
      "signers.x509.fulcio.address": ca.url,
      "signers.x509.identity.token.file": files.token,
      "transparency.enabled": "true",
      "transparency.url": log.url,
      "trust.root.file": files.root,
    },
    ...{ trustedRoot: files.root, identity, issuer: ca.issuer.url },
    async close() {
      clearInterval(renewal);
      await Promise.all([ca.close(), log.close()]);
    },
  };
}
