import { statementTypeV1, statementTypeV01 } from "@countersign/in-toto-attestation";

/** What a payload says, as far as policies ask for it. */
export type Claims = StatementClaims | ImageClaims;

export interface StatementClaims {
  readonly kind: "provenance";
  readonly predicateType: string;
  /** Every "algorithm:hex" of every subject. */
  readonly digests: readonly string[];
  readonly subjects: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  /** Of SLSA provenance v0.2 and v1; undefined where the predicate names no builder. */
  readonly builderId: string | undefined;
  /** Of SLSA provenance v1: Tekton's formats write the run's uid there. */
  readonly invocationId: string | undefined;
}

export interface ImageClaims {
  readonly kind: "image-signature";
  /** Of a statement (cosign's sign/v1, in a DSSE envelope); absent of a simplesigning document, which is signed as it is. */
  readonly predicateType?: string;
  readonly digests: readonly string[];
  /** The name that the image had when it was signed, where it says one. */
  readonly reference: string;
}

/** Reads an in-toto statement, an image signature among them, or a simplesigning payload; undefined when it is neither. It believes nothing and judges nothing. */
export function claimsOf(payload: Uint8Array): Claims | undefined {
  const value = jsonOf(payload);
  return statementClaims(value) ?? imageClaims(value);
}

/** The statement that cosign 3 signs for an image: it says nothing but which image. */
const signV1 = "https://sigstore.dev/cosign/sign/v1";

function statementClaims({ _type, predicateType, subject, predicate }: Loose): Claims | undefined {
  if (![statementTypeV01, statementTypeV1].includes(_type as never) || typeof predicateType !== "string") return undefined;
  const subjects = (Array.isArray(subject) ? subject : []).map(loose).map(({ name, digest }) => ({
    name: typeof name === "string" ? name : "",
    digest: textsOf(loose(digest)),
  }));
  const digests = subjects.flatMap(({ digest }) => Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`));
  if (predicateType === signV1) return { kind: "image-signature", predicateType, digests, reference: subjects[0]?.name ?? "" };
  return {
    kind: "provenance",
    predicateType,
    digests,
    subjects,
    builderId: builderOf(loose(predicate)),
    invocationId: invocationOf(loose(predicate)),
  };
}

function imageClaims({ critical }: Loose): ImageClaims | undefined {
  const { type, image, identity } = loose(critical);
  const digest = loose(image)["docker-manifest-digest"];
  const reference = loose(identity)["docker-reference"];
  if (type !== "cosign container image signature" || typeof digest !== "string") return undefined;
  return { kind: "image-signature", digests: [digest], reference: typeof reference === "string" ? reference : "" };
}

/** v1: runDetails.builder.id; v0.2: builder.id. */
function builderOf(predicate: Loose): string | undefined {
  const { id } = loose(loose(predicate["runDetails"])["builder"] ?? predicate["builder"]);
  return typeof id === "string" ? id : undefined;
}

function invocationOf(predicate: Loose): string | undefined {
  const { invocationId } = loose(loose(predicate["runDetails"])["metadata"]);
  return typeof invocationId === "string" ? invocationId : undefined;
}

type Loose = Readonly<Record<string, unknown>>;
const loose = (value: unknown): Loose => (typeof value === "object" && value !== null ? (value as Loose) : {});

const textsOf = (value: Loose): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));

function jsonOf(payload: Uint8Array): Loose {
  try {
    return loose(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch {
    return {};
  }
}
