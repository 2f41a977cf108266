import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { foundInAnnotations, foundInLayer, type Layer, runAnnotations, sameBytes, sha256, tagLayer } from "@countersign/bundle";
import type {
  Artifact,
  Attestation,
  CountersignError,
  Found,
  LogEntry,
  Payload,
  Signature,
  Signer,
  StorageBackend,
  Subject,
  Witness,
} from "@countersign/core";

/**
 * A log and a registry that outlive a process, for histories of crashes and outages. Plug-ins that work with them are below: real
 * signatures, real idempotence; what is left out are wires and proofs.
 */
export interface World {
  /** Before and after each effect; a test that throws here has killed the process. */
  step(label: string): Promise<void>;
  readonly entries: Map<string, LogEntry>;
  readonly tags: Map<string, Layer[]>;
  /** Signatures that were written down before a log saw them. */
  readonly drafts: Map<string, WorldDraft>;
  /** What a place ("registry", "log") or an act ("registry:put") answers with instead. */
  down: Readonly<Record<string, CountersignError>>;
}

export interface WorldDraft extends Found {
  readonly signature: Signature;
}

export const world = (): World => ({ step: async () => undefined, entries: new Map(), tags: new Map(), drafts: new Map(), down: {} });

/** From step k on every step throws: nothing a dead process does reaches the world. */
export function killAt(k: number): { readonly seen: string[]; step(label: string): Promise<void> } {
  const seen: string[] = [];
  return {
    seen,
    async step(label) {
      await null;
      if (seen.length >= k) throw new Error("killed");
      seen.push(label);
    },
  };
}

export async function touch(earth: World, place: string, act: string): Promise<void> {
  await earth.step(`${place}:${act}`);
  const error = earth.down[place] ?? earth.down[`${place}:${act}`];
  if (error) throw error;
}

const pemOf = (key: KeyObject): string =>
  (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "pem" }).toString();

/** RSA PKCS#1 v1.5 or Ed25519: the same message always gives the same signature, so there is nothing to recognise. */
export function deterministicSigner(key: KeyObject = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey): Signer {
  const publicKey = pemOf(key);
  const [hash, algorithm] = key.asymmetricKeyType === "ed25519" ? ([null, "ed25519"] as const) : (["sha256", "rsa-pkcs1-sha256"] as const);
  return { name: "x509", sign: async (message) => ({ bytes: sign(hash, message, key), algorithm, publicKey }) };
}

/** Each process has a new key and a new certificate of the same authority; what stays is the identity. A certificate here is the authority's word on a key, not X.509. */
export function certifiedSigners(identity = "https://tekton.example/controller"): (earth: World) => Signer {
  const authority = generateKeyPairSync("ed25519");
  const certify = (publicKey: string): string =>
    JSON.stringify({ identity, publicKey, word: sign(null, Buffer.from(publicKey), authority.privateKey).toString("base64") });
  const trusted = (certificate: string): string | undefined => {
    const { identity: who, publicKey, word } = JSON.parse(certificate) as { identity: string; publicKey: string; word: string };
    return who === identity && verify(null, Buffer.from(publicKey), authority.publicKey, Buffer.from(word, "base64"))
      ? publicKey
      : undefined;
  };
  return (earth) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKey = pemOf(privateKey);
    const certificate = certify(publicKey);
    return {
      name: "keyless",
      async sign(message): Promise<Signature> {
        await touch(earth, "authority", "sign");
        return { bytes: sign("sha256", message, privateKey), algorithm: "ecdsa-sha256", publicKey, certificate };
      },
      async recognise(message, found) {
        for (const { bytes, certificate: theirs } of found) {
          const key = theirs && trusted(theirs);
          if (key && verify("sha256", message, key, bytes))
            return { bytes, algorithm: "ecdsa-sha256", publicKey: key, certificate: theirs };
        }
        return undefined;
      },
    };
  };
}

const logKey = generateKeyPairSync("ed25519");
const keyId = createHash("sha256").update(pemOf(logKey.privateKey)).digest("base64");

export interface LogWitnessOptions {
  readonly address?: string;
  /** Whether the log can be asked for what it holds about a payload. Default true. */
  readonly searchable?: boolean;
}

/** A log in which an entry is its content, so asking twice gives the same one. */
export const logWitness = (earth: World, { address = "https://log.example", searchable = true }: LogWitnessOptions = {}): Witness => ({
  name: "rekor",
  lasting: true,
  async find({ body }, _call, shown) {
    await touch(earth, "log", "search");
    const found = [...earth.entries.values()].map(foundInEntry).filter(({ digest }) => digest === sha256(body));
    if (shown) return found.filter(({ signature }) => shown.some(({ bytes }) => sameBytes(bytes, signature.bytes)));
    return searchable ? found : [];
  },
  async testify(attestation) {
    const mine = attestation.evidence.find((evidence) => evidence.kind === "log-entry" && evidence.entry.logId.keyId === keyId);
    const entry = mine?.kind === "log-entry" ? mine.entry : await entered(earth, attestation);
    return { kind: "log-entry", entry, url: `${address}/api/v1/log/entries?logIndex=${entry.logIndex}` };
  },
});

async function entered(earth: World, attestation: Attestation): Promise<LogEntry> {
  await touch(earth, "log", "ask");
  const kind = attestation.payload.envelope === "dsse" ? "dsse" : "hashedrekord";
  const { bytes, certificate, publicKey } = attestation.signature;
  const spec = { hash: sha256(attestation.payload.body), signature: Buffer.from(bytes).toString("base64"), certificate, publicKey };
  const canonicalizedBody = Buffer.from(JSON.stringify({ kind, spec })).toString("base64");
  const entry: LogEntry = earth.entries.get(canonicalizedBody) ?? {
    logIndex: `${earth.entries.size}`,
    logId: { keyId },
    kindVersion: { kind, version: "0.0.1" },
    integratedTime: "1795320042",
    inclusionPromise: { signedEntryTimestamp: sign(null, Buffer.from(canonicalizedBody), logKey.privateKey).toString("base64") },
    canonicalizedBody,
  };
  earth.entries.set(canonicalizedBody, entry);
  await earth.step("log:answered");
  return entry;
}

function foundInEntry(entry: LogEntry): Found {
  const { spec } = JSON.parse(Buffer.from(entry.canonicalizedBody, "base64").toString()) as {
    spec: { hash: string; signature: string; certificate?: string };
  };
  const signature = { bytes: Buffer.from(spec.signature, "base64"), ...(spec.certificate && { certificate: spec.certificate }) };
  return { digest: spec.hash, signature, evidence: [{ kind: "log-entry", entry }] };
}

/** Drafts as a run keeps them. */
export const worldDrafts = (earth: World) => ({
  recall: ({ fullKey }: Artifact, route: string): readonly WorldDraft[] => [earth.drafts.get(`${route} ${fullKey}`) ?? []].flat(),
  async keep({ fullKey }: Artifact, route: string, draft: WorldDraft): Promise<void> {
    await touch(earth, "run", "keep");
    earth.drafts.set(`${route} ${fullKey}`, draft);
    await earth.step("run:kept");
  },
});

/** cosign's tags in the world's registry. */
export function worldTags(earth: World): StorageBackend {
  const place = ({ name, digest }: Subject, { envelope }: Payload): string =>
    `${name}:sha256-${digest["sha256"]}.${envelope === "none" ? "sig" : "att"}`;
  const places = (payload: Payload): readonly string[] => payload.subjects.map((subject) => place(subject, payload));
  const read = (layers: readonly Layer[]): readonly Found[] => layers.flatMap((layer) => foundInLayer(layer) ?? []);
  return {
    name: "oci",
    async store(attestation) {
      const digest = sha256(attestation.payload.body);
      for (const uri of places(attestation.payload)) {
        await touch(earth, "registry", "put");
        const there = earth.tags.get(uri) ?? [];
        const known = read(there).some((found) => found.digest === digest && sameBytes(found.signature.bytes, attestation.signature.bytes));
        if (!known) earth.tags.set(uri, [...there, tagLayer(attestation)]);
        await earth.step("registry:stored");
      }
      return { uris: places(attestation.payload) };
    },
    async find({ payload }) {
      await touch(earth, "registry", "get");
      return places(payload).flatMap((uri) => read(earth.tags.get(uri) ?? []));
    },
  };
}

/** Annotations of the run, as @countersign/storage-tekton writes them; here so that tests of lower rooms need no plug-in. */
export const worldAnnotations: StorageBackend = {
  name: "tekton",
  store: async (attestation) => ({ uris: [`annotation:${attestation.artifact.shortKey}`], annotations: runAnnotations(attestation) }),
  find: async ({ annotations, artifact, payload }) => foundInAnnotations(annotations, artifact, payload),
};
