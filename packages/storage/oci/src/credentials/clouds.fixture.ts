import { createHash, createHmac } from "node:crypto";
import type { Http, HttpRequest, HttpResponse } from "@countersign/http";

/** What the fake clouds know to be right, and what they give for it. */
export const secrets = {
  federated: "eyJhbGciOiJSUzI1NiJ9.federated.s3cret",
  accessKeyId: "ASIAFAKE",
  secretAccessKey: "aws-s3cret-key",
  sessionToken: "aws-s3cret-session",
  ecrPassword: "ecr-s3cret:with-colon",
  googleToken: "ya29.google-s3cret",
  entraToken: "eyJ0eXAi.entra-s3cret.x",
  acrToken: "eyJ0eXAi.acr-s3cret.x",
} as const;

export const roleArn = "arn:aws:iam::123456789012:role/countersign";
export const tenant = "11111111-2222-3333-4444-555555555555";
export const client = "99999999-8888-7777-6666-555555555555";

export interface Clouds extends Http {
  /** "POST sts.eu-west-1.amazonaws.com/". */
  readonly seen: string[];
  /** Has the first word. */
  before: (request: HttpRequest) => HttpResponse | Error | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * The services of three clouds behind one Http: each checks what it is sent as its public documentation says, the signature of Amazon's
 * requests included, and refuses what is not right.
 */
export function clouds(): Clouds {
  const seen: string[] = [];
  const self: Clouds = {
    seen,
    before: () => undefined,
    now: Date.UTC(2026, 10, 24, 10),
    async request(request) {
      const url = new URL(request.url);
      request.signal.throwIfAborted();
      seen.push(`${request.method ?? "GET"} ${url.host}${url.pathname}`);
      const first = self.before(request);
      if (first instanceof Error) throw first;
      return first ?? answerTo(url, request, self.now);
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
  return self;
}

export const answer = (status: number, body: string | object, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
});

function answerTo(url: URL, request: HttpRequest, now: number): HttpResponse {
  const { host, pathname } = url;
  if (/^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(host)) return sts(request);
  if (/^(?:api\.ecr|ecr-fips)\.[a-z0-9-]+\.amazonaws\.com$/.test(host)) return ecr(url, request, now);
  if (host === "169.254.169.254") return metadata(url, request);
  if (host === "login.microsoftonline.com" && pathname === `/${tenant}/oauth2/v2.0/token`) return entra(request);
  if (/^[a-z0-9]+\.azurecr\.io$/.test(host) && pathname === "/oauth2/exchange") return exchange(host, request);
  return answer(404, "nobody here");
}

const formOf = ({ body }: HttpRequest): Readonly<Record<string, string>> => Object.fromEntries(new URLSearchParams(String(body)));
const equal = (a: object, b: object): boolean => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

function sts(request: HttpRequest): HttpResponse {
  const { RoleSessionName = "", ...form } = formOf(request);
  const right = { Action: "AssumeRoleWithWebIdentity", Version: "2011-06-15", RoleArn: roleArn, WebIdentityToken: secrets.federated };
  if (!equal(form, right) || !/^[\w+=,.@-]{2,64}$/.test(RoleSessionName))
    return answer(
      403,
      `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${form["WebIdentityToken"]}</Message></Error></ErrorResponse>`,
    );
  return answer(
    200,
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
      <AssumedRoleUser><Arn>${roleArn}</Arn></AssumedRoleUser>
      <Credentials>
        <AccessKeyId>${secrets.accessKeyId}</AccessKeyId>
        <SecretAccessKey>${secrets.secretAccessKey}</SecretAccessKey>
        <SessionToken>${secrets.sessionToken}</SessionToken>
        <Expiration>2026-11-24T11:00:00Z</Expiration>
      </Credentials>
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
}

function ecr(url: URL, request: HttpRequest, now: number): HttpResponse {
  const { headers = {} } = request;
  const refused = (type: string): HttpResponse => answer(400, { __type: `com.amazonaws.ecr#${type}`, message: secrets.sessionToken });
  const region = url.host.split(".").at(-3) ?? "";
  if (headers["x-amz-security-token"] !== secrets.sessionToken) return refused("UnrecognizedClientException");
  const problem = signatureFault(url, request, { region, service: "ecr", now });
  if (problem) return refused(problem);
  if (headers["x-amz-target"] !== "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken") return refused("UnknownOperationException");
  const authorizationToken = Buffer.from(`AWS:${secrets.ecrPassword}`).toString("base64");
  return answer(200, { authorizationData: [{ authorizationToken, expiresAt: now / 1000 + 12 * 3600, proxyEndpoint: "https://x" }] });
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** AWS Signature Version 4, made again from the request as its documentation describes it. */
function signatureFault(
  url: URL,
  { method = "GET", headers = {}, body = "" }: HttpRequest,
  { region, service, now }: { region: string; service: string; now: number },
): string | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=(\S+?)\/(\d{8})\/(\S+?)\/(\S+?)\/aws4_request, SignedHeaders=(\S+?), Signature=([0-9a-f]{64})$/;
  const [, id, day = "", inRegion, forService, signed = "", signature] = pattern.exec(headers["authorization"] ?? "") ?? [];
  if (id !== secrets.accessKeyId || inRegion !== region || forService !== service) return "UnrecognizedClientException";
  const date = headers["x-amz-date"] ?? "";
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(at - now) < 300_000)) return "RequestExpired";
  for (const name of ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"])
    if (!signed.split(";").includes(name)) return "MissingSignedHeader";
  const canonicalHeaders = signed.split(";").map((name) => `${name}:${name === "host" ? url.host : headers[name]}\n`);
  const canonical = [method, url.pathname, url.search.slice(1), canonicalHeaders.join(""), signed, sha256(String(body))].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [region, service, "aws4_request"].reduce<Buffer>((key, part) => hmac(key, part), hmac(`AWS4${secrets.secretAccessKey}`, day));
  const expected = hmac(key, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")).toString("hex");
  return signature === expected ? undefined : "InvalidSignatureException";
}

function metadata({ pathname }: URL, { headers = {} }: HttpRequest): HttpResponse {
  if (headers["metadata-flavor"] !== "Google") return answer(403, "Missing Metadata-Flavor:Google header.");
  if (pathname !== "/computeMetadata/v1/instance/service-accounts/default/token") return answer(404, "");
  const token = { access_token: secrets.googleToken, expires_in: 3599, token_type: "Bearer" };
  return answer(200, token, { "metadata-flavor": "Google", "content-type": "application/json" });
}

function entra(request: HttpRequest): HttpResponse {
  const right = {
    grant_type: "client_credentials",
    client_id: client,
    scope: "https://containerregistry.azure.net/.default",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: secrets.federated,
  };
  const form = formOf(request);
  if (!equal(form, right)) return answer(401, { error: "invalid_client", error_description: `no: ${form["client_assertion"]}` });
  return answer(200, { token_type: "Bearer", expires_in: 3599, access_token: secrets.entraToken });
}

function exchange(host: string, request: HttpRequest): HttpResponse {
  const right = { grant_type: "access_token", service: host, tenant, access_token: secrets.entraToken };
  if (!equal(formOf(request), right)) return answer(401, { errors: [{ code: "UNAUTHORIZED", message: secrets.entraToken }] });
  return answer(200, { refresh_token: secrets.acrToken });
}
