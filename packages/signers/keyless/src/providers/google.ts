import { readFile } from "node:fs/promises";
import type { Call } from "@countersign/core";
import { asked, member, missing, type Provider, type Surroundings } from "../provider.ts";

export interface GoogleSurroundings extends Surroundings {
  /** Where the kernel says whose machine this is. */
  readonly productNameFile: string;
  /** Where impersonation is asked for. */
  readonly credentialsUrl: string;
}

const metadata = "Google's metadata server";

/** The identity of a GCE instance or, with workload identity, of a GKE pod. */
export function googleWorkloadProvider(within: GoogleSurroundings): Provider {
  return {
    name: "google-workload-identity",
    enabled: async () => ["Google", "Google Compute Engine"].includes(await productName(within)),
    async token(call) {
      const path = `identity?audience=${encodeURIComponent(within.audience)}&format=full`;
      return { token: await metadataText(within, path, call), source: metadata };
    },
  };
}

/** A service account that ours may impersonate; its token carries the email address. */
export function googleImpersonationProvider(within: GoogleSurroundings): Provider {
  const source = "Google's IAM credentials";
  return {
    name: "google-impersonate",
    enabled: async () => (within.env["GOOGLE_SERVICE_ACCOUNT_NAME"] ?? "") !== "",
    async token(call) {
      const account = within.env["GOOGLE_SERVICE_ACCOUNT_NAME"] ?? "";
      if (account === "") throw missing("GOOGLE_SERVICE_ACCOUNT_NAME is not set: it names the service account to impersonate");
      const access = member(await metadataText(within, "token", call), "access_token", metadata);
      const url = `${within.credentialsUrl}/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateIdToken`;
      const headers = { authorization: `Bearer ${access}`, "content-type": "application/json" };
      const body = JSON.stringify({ audience: within.audience, includeEmail: true });
      const fix = "grant roles/iam.serviceAccountOpenIdTokenCreator on that service account";
      return { token: member(await asked(within, { method: "POST", url, headers, body, source, fix }, call), "token", source), source };
    },
  };
}

async function metadataText(within: GoogleSurroundings, path: string, call: Call): Promise<string> {
  const host = within.env["GCE_METADATA_HOST"] || "metadata.google.internal";
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/${path}`;
  const headers = { "metadata-flavor": "Google" };
  const fix = "this needs a Google machine, in GKE one with workload identity";
  return (await asked(within, { url, headers, source: metadata, fix }, call)).trim();
}

async function productName({ productNameFile }: GoogleSurroundings): Promise<string> {
  return (await readFile(productNameFile, "utf8").catch(() => "")).trim();
}
