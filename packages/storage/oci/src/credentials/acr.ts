import type { Call } from "@countersign/core";
import type { Credential } from "@countersign/oci-client";
import type { CredentialSource } from "../keychain.ts";
import { answered, type CloudOptions, cloudError, membersOf, tokenIn, variables } from "./cloud.ts";
import { acrAudience } from "./cloud-hosts.ts";
import { lender } from "./lent.ts";

const cloud = "acr";
const hint = "set up Azure Workload Identity for the controller's ServiceAccount, and give its identity the role AcrPush";
const form = { "content-type": "application/x-www-form-urlencoded" };

/**
 * Azure Container Registry by the pod's federated token (Azure Workload Identity): a token of Entra for the audience of registries, then
 * the registry's own exchange for a refresh token, which is good for that one registry.
 */
export function acrCredentials({ env, http, now = Date.now }: CloudOptions): CredentialSource {
  const refreshToken = lender(now, async (registry, call) => {
    const { token, tenant } = await entraToken(acrAudience(registry) ?? "", call);
    const body = new URLSearchParams({ grant_type: "access_token", service: registry, tenant, access_token: token }).toString();
    const request = { method: "POST", url: `https://${registry}/oauth2/exchange`, headers: form, body } as const;
    const { refresh_token: value } = membersOf(await answered(http, request, { cloud, hint, ...call }));
    if (typeof value !== "string" || value === "") throw cloudError(cloud, `${registry} gave no token in exchange`, hint, false);
    // It lives three hours.
    return { value, until: now() + 2 * 3_600_000 };
  });

  async function entraToken(audience: string, call: Call): Promise<{ readonly token: string; readonly tenant: string }> {
    const names = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"] as const;
    const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE } = variables(env, names, cloud, hint);
    const authority = (env["AZURE_AUTHORITY_HOST"] || "https://login.microsoftonline.com").replace(/\/+$/, "");
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: AZURE_CLIENT_ID,
      scope: `${audience}/.default`,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await tokenIn(AZURE_FEDERATED_TOKEN_FILE, cloud, hint),
    }).toString();
    const url = `${authority}/${encodeURIComponent(AZURE_TENANT_ID)}/oauth2/v2.0/token`;
    const { access_token: token } = membersOf(await answered(http, { method: "POST", url, headers: form, body }, { cloud, hint, ...call }));
    if (typeof token !== "string" || token === "") throw cloudError(cloud, "Entra gave no token", hint, false);
    return { token, tenant: AZURE_TENANT_ID };
  }

  return async (_, { registry }, call) => {
    if (!acrAudience(registry)) return [];
    const credential: Credential = {
      kind: "identity-token",
      token: await refreshToken(registry, call),
      source: `acr, as client ${env["AZURE_CLIENT_ID"]}`,
    };
    return [credential];
  };
}
