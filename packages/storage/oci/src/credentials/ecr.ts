import type { Call } from "@countersign/core";
import type { Credential } from "@countersign/oci-client";
import { AwsV4Signer } from "aws4fetch";
import type { CredentialSource } from "../keychain.ts";
import { answered, type CloudOptions, cloudError, type Lent, membersOf, tokenIn, variables } from "./cloud.ts";
import { ecrHost } from "./cloud-hosts.ts";
import { lender } from "./lent.ts";

const cloud = "ecr";
const hint =
  "annotate the controller's ServiceAccount with eks.amazonaws.com/role-arn, let that role trust the cluster's issuer, and allow it ecr:GetAuthorizationToken and to push";

/**
 * Amazon ECR by the pod's web identity (IAM Roles for Service Accounts): sts:AssumeRoleWithWebIdentity, then ecr:GetAuthorizationToken,
 * whose answer serves twelve hours for all registries of a region that the role may use. Only for hosts of ECR itself.
 */
export function ecrCredentials({ env, http, now = Date.now }: CloudOptions): CredentialSource {
  const password = lender(now, async (registry, call) => {
    const host = ecrHost(registry);
    if (!host) throw cloudError(cloud, `${registry} is no registry of Amazon`, hint, false);
    const keys = await assumedRole(host, call);
    const name = host.fips ? `ecr-fips.${host.region}` : `api.ecr.${host.region}`;
    const url = env["AWS_ENDPOINT_URL_ECR"] || `https://${name}.${host.domain}/`;
    const signer = new AwsV4Signer({
      ...keys,
      url,
      method: "POST",
      body: "{}",
      service: "ecr",
      region: host.region,
      datetime: new Date(now()).toISOString().replace(/[-:]|\.\d+/g, ""),
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
      },
    });
    const { headers } = await signer.sign();
    const answer = await answered(
      http,
      { method: "POST", url, headers: Object.fromEntries(headers), body: "{}" },
      { cloud, hint, ...call },
    );
    return passwordFrom(membersOf(answer), now());
  });

  async function assumedRole({ region, domain }: { region: string; domain: string }, call: Call): Promise<Keys> {
    const { AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE } = variables(env, ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"], cloud, hint);
    const url = env["AWS_ENDPOINT_URL_STS"] || `https://sts.${env["AWS_REGION"] || region}.${domain}/`;
    const body = new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: AWS_ROLE_ARN,
      RoleSessionName: env["AWS_ROLE_SESSION_NAME"] || "countersign",
      WebIdentityToken: await tokenIn(AWS_WEB_IDENTITY_TOKEN_FILE, cloud, hint),
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await answered(http, { method: "POST", url, headers, body: body.toString() }, { cloud, hint, ...call });
    return keysFrom(Buffer.from(answer.body).toString("utf8"));
  }

  return async (_, { registry }, call) => {
    if (!ecrHost(registry)) return [];
    const credential: Credential = {
      kind: "basic",
      username: "AWS",
      password: await password(registry, call),
      source: `ecr, as ${env["AWS_ROLE_ARN"]}`,
    };
    return [credential];
  };
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The answer is XML with three elements of interest, none of which needs an escape. */
function keysFrom(xml: string): Keys {
  const element = (name: string): string => new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(xml)?.[1] ?? "";
  const keys = { accessKeyId: element("AccessKeyId"), secretAccessKey: element("SecretAccessKey"), sessionToken: element("SessionToken") };
  if (Object.values(keys).every(Boolean)) return keys;
  throw cloudError(cloud, "STS gave no keys for the role", hint, false);
}

/** authorizationToken is base64 of "AWS:<password>"; expiresAt counts seconds. */
function passwordFrom({ authorizationData }: Readonly<Record<string, unknown>>, now: number): Lent<string> {
  const [first] = (Array.isArray(authorizationData) ? authorizationData : []) as readonly {
    authorizationToken?: unknown;
    expiresAt?: unknown;
  }[];
  const text = typeof first?.authorizationToken === "string" ? Buffer.from(first.authorizationToken, "base64").toString("utf8") : "";
  if (!text.startsWith("AWS:")) throw cloudError(cloud, "GetAuthorizationToken gave no token", hint, false);
  const until = typeof first?.expiresAt === "number" ? first.expiresAt * 1000 : now + 3_600_000;
  return { value: text.slice("AWS:".length), until };
}
