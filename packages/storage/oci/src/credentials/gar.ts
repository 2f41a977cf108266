import type { Credential } from "@countersign/oci-client";
import type { CredentialSource } from "../keychain.ts";
import { answered, type CloudOptions, cloudError, membersOf } from "./cloud.ts";
import { isGarHost } from "./cloud-hosts.ts";
import { lender } from "./lent.ts";

const cloud = "gar";
const hint = "is the pod on Google Cloud, with a service account that may write to the registry (Workload Identity)?";

/** Google's Artifact Registry and Container Registry: the access token of the pod's service account, from the metadata server. */
export function garCredentials({ env, metadata, now = Date.now }: CloudOptions): CredentialSource {
  const url = `http://${env["GCE_METADATA_HOST"] || "169.254.169.254"}/computeMetadata/v1/instance/service-accounts/default/token`;
  const token = lender(now, async (_, call) => {
    const answer = await answered(metadata, { url, headers: { "metadata-flavor": "Google" } }, { cloud, hint, ...call });
    // Whoever else answers at that address is no metadata server.
    if (answer.headers["metadata-flavor"] !== "Google") throw cloudError(cloud, "what answers is no metadata server", hint, false);
    const { access_token: value, expires_in: seconds } = membersOf(answer);
    if (typeof value !== "string" || value === "") throw cloudError(cloud, "the metadata server gave no token", hint, false);
    return { value, until: now() + (typeof seconds === "number" ? seconds : 60) * 1000 };
  });
  return async (_, { registry }, call) => {
    if (!isGarHost(registry)) return [];
    const credential: Credential = {
      kind: "basic",
      username: "oauth2accesstoken",
      password: await token("", call),
      source: "gar, as the pod's Google service account",
    };
    return [credential];
  };
}
