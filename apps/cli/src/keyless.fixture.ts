import { generateKeyPairSync } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type Fulcio, fulcio, type Registry, type Rekor, registry, rekor, trustedRoot } from "@countersign/testing";
import { type Session, session, taskRunYaml } from "./session.fixture.ts";

/** A person without a key, and everybody who vouches for them. */
export interface Keyless extends AsyncDisposable {
  readonly person: Session;
  readonly ca: Fulcio;
  readonly log: Rekor;
  readonly images: Registry;
  /** "registry/app@sha256:…", built by the run in run.yaml. */
  readonly image: string;
  readonly digest: string;
  /** Path of a trusted_root.json that names CA, CT log and log. */
  readonly root: string;
  /** Options that name the person. */
  readonly whom: readonly string[];
  /** A plain key: what --signing-secrets and --key want. */
  key(): { readonly folder: string; readonly file: string };
  /** Attests run.yaml; settings are key=value. */
  attest(...settings: readonly string[]): Promise<void>;
}

export const somebody = "https://example.test/somebody";

export async function keyless(): Promise<Keyless> {
  const person = session();
  const [ca, log, images] = await Promise.all([fulcio(), rekor(), registry()]);
  const digest = images.seedImage("app", "1.0");
  const parts = { certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs, logs: log.logs };
  const root = person.write("trusted_root.json", trustedRoot(parts));
  const token = person.write("token", `${ca.issuer.token()}\n`);
  person.write("run.yaml", taskRunYaml(`${images.host}/app`, digest));
  const usual = [
    "artifacts.taskrun.format=slsa/v2alpha4",
    "artifacts.taskrun.storage=oci",
    "signers.x509.fulcio.enabled=true",
    `signers.x509.fulcio.address=${ca.url}`,
    `signers.x509.identity.token.file=${token}`,
    `transparency.url=${log.url}`,
    `trust.root.file=${root}`,
  ];
  return {
    ...{ person, ca, log, images, digest, root },
    image: `${images.host}/app@${digest}`,
    whom: ["--certificate-identity", somebody, "--certificate-oidc-issuer", ca.issuer.url],
    key() {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      mkdirSync(person.path("keys"), { recursive: true });
      person.write("keys/x509.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
      const file = person.write("keys/x509.pub", publicKey.export({ type: "spki", format: "pem" }).toString());
      return { folder: person.path("keys"), file };
    },
    async attest(...settings) {
      const all = [...usual, ...settings].flatMap((setting) => ["-c", setting]);
      const { code, err } = await person.run(["attest", person.path("run.yaml"), "--write", ...all]);
      if (code !== 0) throw new Error(err);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([ca.close(), log.close(), images.close()]);
      person[Symbol.dispose]();
    },
  };
}
