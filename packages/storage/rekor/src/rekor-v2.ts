import { createPublicKey, hash, X509Certificate } from "node:crypto";
import { messageOf, parseCheckpoint } from "@countersign/bundle";
import { type Attestation, type Call, CountersignError, type LogEntry, type Signature } from "@countersign/core";
import { json } from "@sigstore/core";
import type { Log } from "./log.ts";
import type { LogKeys } from "./log-keys.ts";
import { refusalHint } from "./refusal-hint.ts";
import { type Answer, garbled, type Server } from "./server.ts";
import { pathFromTiles } from "./tiles.ts";
import { derOf, hashIn, unsupported } from "./verifier.ts";

export interface RekorV2Options {
  readonly server: Server;
  readonly url: string;
  readonly keys: Pick<LogKeys, "logId" | "ready">;
}

/** Entry to be: what is sent, and the leaf that the log makes of it. */
interface Proposal {
  readonly request: object;
  /** Canonical JSON. */
  readonly body: string;
}

/** Rekor's API version 2: hashes of what was signed, an answer with proof and checkpoint, a tree in tiles. No search, and no time. */
export function rekorV2({ server, url, keys }: RekorV2Options): Log {
  return {
    makes: (kindVersion) => kindVersion === "hashedrekord 0.0.2",
    urlOf: ({ logIndex }) => `${url}/api/v2/log/entries?logIndex=${logIndex}`,
    submit,
  };

  async function submit(attestation: Attestation, call: Call): Promise<LogEntry> {
    const proposal = proposalFor(attestation);
    await keys.ready(call);
    const answer = await server.ask({ method: "POST", path: "/api/v2/log/entries", body: JSON.stringify(proposal.request) }, call);
    if (answer.status === 201 || answer.status === 200) return entryFrom(answer);
    if (answer.status === 409) return recovered(answer, proposal, call);
    if (answer.status === 405)
      throw new CountersignError(
        "witness.log-frozen",
        `${answer.what} answered 405: the log takes no more entries; set transparency.url to its successor`,
        {
          retry: "hold",
        },
      );
    throw server.refusal(answer, refusalHint(answer.status, attestation.signature, "v2"));
  }

  /**
   * A conflict names the place of the entry that is there. Its leaf is known, since the same request makes the same leaf; checkpoint and
   * tiles prove it. Some installations serve them from another address than they take entries at.
   */
  async function recovered(conflict: Answer, { body }: Proposal, call: Call): Promise<LogEntry> {
    const place = conflict.headers["x-log-index"] ?? /with index ([0-9]+)/.exec(Buffer.from(conflict.body).toString())?.[1] ?? "";
    if (!/^[0-9]{1,15}$/.test(place)) throw unreadable(conflict, "and does not say where");
    const text = await read(conflict, "/checkpoint", call);
    const checkpoint = parseCheckpoint(Buffer.from(text).toString());
    if (!checkpoint) throw unreadable(conflict, "and its checkpoint is not one");
    const [index, size] = [Number(place), Number(checkpoint.size)];
    if (index >= size) {
      const sentence = `${conflict.what} answered 409: the entry is there and not yet published; it is asked again later`;
      throw new CountersignError("witness.entry-missing", sentence, { retry: "wait" });
    }
    const hashes = await pathFromTiles(index, size, (path) => read(conflict, path, call));
    const keyId = await keys.logId(checkpoint, call);
    if (!keyId) throw unreadable(conflict, "and its checkpoint is not signed by a key that the trust root knows");
    return {
      logIndex: `${index}`,
      logId: { keyId },
      kindVersion: { kind: "hashedrekord", version: "0.0.2" },
      inclusionProof: {
        logIndex: `${index}`,
        rootHash: base64(checkpoint.rootHash),
        treeSize: `${size}`,
        hashes: hashes.map(base64),
        checkpoint: { envelope: Buffer.from(text).toString() },
      },
      canonicalizedBody: base64(Buffer.from(body)),
    };
  }

  async function read(conflict: Answer, path: string, call: Call): Promise<Uint8Array> {
    const answer = await server.ask({ path: `/api/v2${path}`, headers: { accept: "*/*" } }, call);
    if (answer.status === 200) return answer.body;
    throw unreadable(conflict, `and ${answer.what} answered ${answer.status}; have checkpoint and tiles served at that address, too`);
  }
}

/** On hold: trying again is no use until somebody sets it right, and no run has anything to answer for. */
function unreadable({ what }: Answer, rest: string): CountersignError {
  const sentence = `${what} answered 409: the log holds this entry already, ${rest}. Without its proof nothing is stored`;
  return new CountersignError("witness.entry-unreadable", sentence, { retry: "hold" });
}

function proposalFor(attestation: Attestation): Proposal {
  const { payload, signature } = attestation;
  const keyDetails = keyDetailsOf(signature);
  const algorithm = hashIn(signature.algorithm);
  if (!keyDetails || !algorithm)
    throw unsupported(
      attestation,
      "Rekor v2 takes ECDSA P-256, P-384 and P-521 with the hash of their size, RSA 2048, 3072 and 4096 with SHA-256, and prehashed Ed25519",
    );
  const digest = hash(algorithm, messageOf(payload), "base64");
  const { certificate, publicKey } = signature;
  const verifier = certificate
    ? { keyDetails, x509Certificate: { rawBytes: base64(new X509Certificate(certificate).raw) } }
    : { keyDetails, publicKey: { rawBytes: derOf(publicKey) } };
  const signed = { content: base64(signature.bytes), verifier };
  const data = { algorithm: `SHA2_${algorithm.slice(3)}`, digest };
  return {
    request: { hashedRekordRequestV002: { digest, signature: signed } },
    body: json.canonicalize({ apiVersion: "0.0.2", kind: "hashedrekord", spec: { hashedRekordV002: { data, signature: signed } } }),
  };
}

/** The name that sigstore's protobuf specifications give to key and algorithm together. */
function keyDetailsOf({ algorithm, publicKey }: Signature): string | undefined {
  const { namedCurve, modulusLength } = createPublicKey(publicKey).asymmetricKeyDetails ?? {};
  const names: Readonly<Record<string, string>> = {
    "ecdsa-sha256 prime256v1": "PKIX_ECDSA_P256_SHA_256",
    "ecdsa-sha384 secp384r1": "PKIX_ECDSA_P384_SHA_384",
    "ecdsa-sha512 secp521r1": "PKIX_ECDSA_P521_SHA_512",
    "rsa-pkcs1-sha256 2048": "PKIX_RSA_PKCS1V15_2048_SHA256",
    "rsa-pkcs1-sha256 3072": "PKIX_RSA_PKCS1V15_3072_SHA256",
    "rsa-pkcs1-sha256 4096": "PKIX_RSA_PKCS1V15_4096_SHA256",
    ed25519ph: "PKIX_ED25519_PH",
  };
  return names[[algorithm, namedCurve ?? modulusLength].filter(Boolean).join(" ")];
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; every value is checked where it is used
type Loose = Readonly<Record<string, any>>;

/** The answer is a bundle's log entry already, but for the zeros. */
function entryFrom(answer: Answer): LogEntry {
  try {
    const {
      logIndex,
      logId,
      kindVersion,
      inclusionProof: proof,
      canonicalizedBody,
    } = JSON.parse(Buffer.from(answer.body).toString()) as Loose;
    return {
      logIndex: String(logIndex ?? "0"),
      logId: { keyId: String(logId.keyId) },
      kindVersion: { kind: String(kindVersion.kind), version: String(kindVersion.version) },
      inclusionProof: {
        logIndex: String(proof.logIndex ?? "0"),
        rootHash: String(proof.rootHash),
        treeSize: String(proof.treeSize),
        hashes: ((proof.hashes ?? []) as readonly unknown[]).map(String),
        checkpoint: { envelope: String(proof.checkpoint.envelope) },
      },
      canonicalizedBody: String(canonicalizedBody),
    };
  } catch {
    throw garbled(answer);
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
