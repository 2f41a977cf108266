import { type Http, http } from "@countersign/http";
import { dockerKeychain, ociStorage } from "@countersign/storage-oci";
import { claimsOf, verify } from "@countersign/verify";
import { type Checked, checkedFrom, type Verification } from "./checked.ts";
import type { ClusterOptions } from "./cluster.ts";
import { isAsked, wantedType } from "./predicate-type.ts";
import type { Terminal } from "./terminal.ts";
import { trustedKey } from "./trusted-key.ts";

export interface VerifyImageOptions extends ClusterOptions {
  readonly key: string;
  readonly type?: string;
  readonly builder?: readonly string[];
  readonly repository?: string;
  readonly insecure?: boolean;
}

/** Looks at everything attached to the image; one sound and wanted attachment is enough, what strangers attach does no harm. */
export async function verifyImage(reference: string, options: VerifyImageOptions, terminal: Terminal): Promise<Verification> {
  const { env } = terminal;
  const { insecure = false, type, builder, repository = env["COSIGN_REPOSITORY"] } = options;
  const trust = await trustedKey(options.key, options, terminal);
  const wire = http({ insecure, env, userAgent: "countersign" });
  try {
    const attached = await attachments(reference, wire, { insecure, repository }, terminal);
    const wanted = { ...(builder && { kind: "provenance" as const }), ...wantedType(type), ...(builder && { builderIds: builder }) };
    const looked = attached.map((one) => ({ ...one, claims: claimsOf(one.payload) }));
    const checked = looked
      .filter(({ claims }) => isAsked(claims, wanted))
      .map(({ uri, digest, found, payload, claims }) =>
        checkedFrom(uri, claims, verify(found, payload, trust, { ...wanted, subject: digest })),
      );
    const digest = attached[0]?.digest;
    const subject = digest && !reference.includes("@") ? `${reference}@${digest}` : reference;
    return { subject, ...verdictOf(checked, attached.length), checked };
  } finally {
    await wire.close();
  }
}

function attachments(
  reference: string,
  wire: Http,
  { insecure, repository }: { insecure: boolean; repository: string | undefined },
  { env, signal }: Terminal,
): ReturnType<ReturnType<typeof ociStorage>["discover"]> {
  const storage = ociStorage({ http: wire, credentials: dockerKeychain({ env }), insecure, ...(repository && { repository }) });
  return storage.discover(reference, { signal });
}

function verdictOf(checked: readonly Checked[], attached: number): Pick<Verification, "accepted" | "reason"> {
  if (checked.some(({ accepted }) => accepted)) return { accepted: true };
  if (attached === 0) return { accepted: false, reason: "nothing is attached to it by tag (sigstore bundles are not read yet)" };
  if (checked.length === 0) return { accepted: false, reason: `none of the ${attached} things attached to it is what was asked for` };
  return { accepted: false, reason: "nothing that is attached to it passes" };
}
