import type { Draft } from "@countersign/attest";
import type { Evidence, Signature } from "@countersign/core";

interface DraftsText {
  /** The signatures of a visit mostly share one. */
  readonly signers: readonly SignerText[];
  readonly drafts: Readonly<Record<string, DraftText>>;
}

/** Without the chain: whoever recognises a signature knows its authority. */
type SignerText = Pick<Signature, "algorithm" | "publicKey" | "certificate">;

interface DraftText {
  /** Of the payload: sha256, hex. */
  readonly digest: string;
  /** Base64. */
  readonly signature: string;
  /** Its place among the signers. */
  readonly by: number;
  /** Tokens that were there before the log was asked. */
  readonly timestamps?: readonly Evidence[];
}

/** Drafts by their names, as JSON. */
export function draftsText(drafts: ReadonlyMap<string, Draft>): string {
  const signers = [...new Map([...drafts.values()].map(({ signature }) => [signature.publicKey, signerOf(signature)]))];
  const placeOf = ({ publicKey }: Signature): number => signers.findIndex(([key]) => key === publicKey);
  const textOf = ({ digest, signature, evidence }: Draft): DraftText => ({
    ...{ digest, signature: Buffer.from(signature.bytes).toString("base64"), by: placeOf(signature) },
    ...(evidence.length > 0 && { timestamps: evidence }),
  });
  const text: DraftsText = {
    signers: signers.map(([, signer]) => signer),
    drafts: Object.fromEntries([...drafts].map(([name, draft]) => [name, textOf(draft)])),
  };
  return JSON.stringify(text);
}

const signerOf = ({ algorithm, publicKey, certificate }: Signature): SignerText => ({
  ...{ algorithm, publicKey },
  ...(certificate !== undefined && { certificate }),
});

/**
 * Whoever may write on a run may have written this: nothing is believed that the signer does not recognise, and what is damaged is as good
 * as absent.
 */
export function draftsIn(text: string): readonly (readonly [string, Draft])[] {
  const { signers, drafts } = parsed(text);
  return Object.entries(drafts).flatMap(([name, draft]) => {
    const read = draftFrom(draft, signers);
    return read ? [[name, read] as const] : [];
  });
}

function parsed(text: string): DraftsText {
  if (text === "") return none;
  try {
    const { signers, drafts } = JSON.parse(text) as Partial<DraftsText>;
    if (Array.isArray(signers) && drafts && typeof drafts === "object") return { signers, drafts };
  } catch {} // damaged, or nothing at all
  return none;
}
const none: DraftsText = { signers: [], drafts: {} };

// biome-ignore lint/suspicious/noExplicitAny: anybody's JSON; every value is looked at
function draftFrom(draft: any, signers: readonly SignerText[]): Draft | undefined {
  const { digest, signature, by, timestamps } = draft ?? {};
  const { algorithm, publicKey, certificate } = signers[by] ?? {};
  const texts: readonly unknown[] = [digest, signature, algorithm, publicKey, certificate ?? ""];
  if (!texts.every((one) => typeof one === "string") || !algorithm || !publicKey) return undefined;
  const tokens: readonly Evidence[] = Array.isArray(timestamps) ? timestamps : [];
  const evidence = tokens.filter((word) => word?.kind === "timestamp" && typeof word.token === "string");
  const bytes = Buffer.from(signature, "base64");
  return { digest, signature: { bytes, algorithm, publicKey, ...(certificate !== undefined && { certificate }) }, evidence };
}
