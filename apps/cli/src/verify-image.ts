import { CountersignError } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { type Attached, dockerKeychain, ociStorage } from "@countersign/storage-oci";
import { claimsOf } from "@countersign/verify";
import { believed } from "./believed.ts";
import { type Checked, checkedFrom, type Verification } from "./checked.ts";
import type { ClusterOptions } from "./cluster.ts";
import { exitCode } from "./exit-code.ts";
import { judged } from "./judge.ts";
import type { Attachment } from "./log-lookup.ts";
import { isAsked, wantedType } from "./predicate-type.ts";
import type { Terminal } from "./terminal.ts";
import type { TrustOptions } from "./trust-options.ts";

export interface ImageOptions {
  readonly repository?: string;
  readonly insecure?: boolean;
}

export interface VerifyImageOptions extends TrustOptions, ClusterOptions, ImageOptions {
  readonly type?: string;
  readonly builder?: readonly string[];
}

/** Looks at everything attached to the image; one sound and wanted attachment is enough, what strangers attach does no harm. */
export async function verifyImage(reference: string, options: VerifyImageOptions, terminal: Terminal): Promise<Verification> {
  const { type, builder } = options;
  const wire = http({ insecure: options.insecure ?? false, env: terminal.env, userAgent: "countersign" });
  // Logs and TUF repositories are not registries: no --insecure for them.
  const straight = lazy(() => http({ env: terminal.env, userAgent: "countersign" }));
  try {
    const believe = await believed(options, terminal, straight.get);
    const attached = await attachedTo(reference, wire, options, terminal);
    if (attached === "no such tag")
      return { subject: reference, accepted: false, reason: "the registry has no such tag", code: exitCode.noTag, checked: [] };
    const wanted = { ...(builder && { kind: "provenance" as const }), ...wantedType(type), ...(builder && { builderIds: builder }) };
    const asked = attached.map((one) => ({ one, claims: claimsOf(one.payload) })).filter(({ claims }) => isAsked(claims, wanted));
    const checked: Checked[] = [];
    for (const { one, claims } of asked) {
      const { verdict, found } = await judged(
        attachmentOf(one),
        { ...wanted, subject: one.digest },
        believe,
        straight.get,
        terminal.signal,
      );
      checked.push(checkedFrom(one.uri, claims, verdict, found));
    }
    const layouts = new Set(asked.map(({ one }) => one.layout));
    const digest = attached[0]?.digest;
    const isTag = digest !== undefined && !reference.includes("@");
    return {
      subject: isTag ? `${reference}@${digest}` : reference,
      ...(isTag && { resolvedFrom: reference }),
      ...verdictOf(checked, attached.length, type, layouts.has("referrer")),
      checked,
    };
  } finally {
    await Promise.all([wire.close(), straight.close()]);
  }
}

/** @throws RegistryError, CountersignError "store.image-name" */
export async function attachedTo(
  reference: string,
  wire: Http,
  { insecure = false, repository }: ImageOptions,
  { env, signal }: Terminal,
): Promise<readonly Attached[] | "no such tag"> {
  const elsewhere = repository ?? env["COSIGN_REPOSITORY"];
  const credentials = dockerKeychain({ env });
  const storage = ociStorage({ http: wire, credentials, insecure, ...(elsewhere && { repository: elsewhere }) });
  try {
    return await storage.discover(reference, { signal });
  } catch (error) {
    if (CountersignError.is(error) && error.code === "store.image-missing") return "no such tag";
    throw error;
  }
}

function attachmentOf({ found, payload, payloadType, envelope, layer }: Attached): Attachment {
  const text = layer && envelope === "dsse" ? { envelopeText: Buffer.from(layer.bytes).toString("utf8") } : {};
  return { found, payload, payloadType, envelope, ...text };
}

interface Lazy {
  get(): Http;
  close(): Promise<void>;
}

function lazy(make: () => Http): Lazy {
  let made: Http | undefined;
  return { get: () => (made ??= make()), close: async () => made?.close() };
}

/**
 * The codes of cosign 3: 10 to 13 of `cosign verify` over tags. What it says of attestations and of bundles is 1, whatever was wrong.
 */
function verdictOf(
  checked: readonly Checked[],
  attached: number,
  type: string | undefined,
  bundles: boolean,
): Pick<Verification, "accepted" | "reason" | "code"> {
  if (checked.some(({ accepted }) => accepted)) return { accepted: true };
  if (attached === 0)
    return { accepted: false, reason: "nothing is attached to it, neither by tag nor as a referrer", code: exitCode.noSignature };
  const isAttestation = type !== undefined && type !== "signature";
  const noMatch = isAttestation || bundles ? exitCode.no : exitCode.noMatch;
  if (checked.length === 0)
    return {
      accepted: false,
      reason: `none of the ${attached} things attached to it is what was asked for`,
      code: isAttestation ? exitCode.no : exitCode.noSignature,
    };
  const isBare = checked.every(({ reasons }) => reasons.some(({ sentence }) => sentence.startsWith("no certificate came")));
  return {
    accepted: false,
    reason: "nothing that is attached to it passes",
    code: isBare && noMatch === exitCode.noMatch ? exitCode.noCertificate : noMatch,
  };
}
