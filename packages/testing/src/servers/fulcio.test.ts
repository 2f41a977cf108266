import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { X509Certificate as ParsedCertificate } from "@sigstore/core";
import { afterEach, describe, expect, test } from "vitest";
import { type Fulcio, type FulcioOptions, fulcio } from "./fulcio.ts";
import { type OidcIssuer, oidcIssuer, type TokenAlgorithm } from "./oidc-issuer.ts";
import { trustedRoot } from "./trusted-root.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const started = async (options: FulcioOptions = {}): Promise<Fulcio> => {
  const one = await fulcio(options);
  open.push(one);
  return one;
};

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();

interface Asked {
  readonly token: string;
  readonly challenge?: string;
}
const somebody = "https://example.test/somebody";

async function v2(
  at: Fulcio,
  { token, challenge = somebody }: Asked,
): Promise<{ status: number; chain: readonly string[]; kind: string; text: string }> {
  const body = {
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: { algorithm: "ECDSA", content: pem(publicKey) },
      proofOfPossession: sign("sha256", Buffer.from(challenge), privateKey).toString("base64"),
    },
  };
  const answer = await fetch(`${at.url}/api/v2/signingCert`, { method: "POST", body: JSON.stringify(body) });
  const text = await answer.text();
  const [kind = "", inside] = Object.entries(JSON.parse(text))[0] ?? [];
  const chain = (inside as { chain?: { certificates: readonly string[] } }).chain?.certificates ?? [];
  return { status: answer.status, chain, kind, text };
}

/** The claims of one token under the signature of another. */
function spliced(one: string, other: string): string {
  const [head, , mark] = other.split(".");
  return [head, one.split(".")[1], mark].join(".");
}

test("a certificate for our key and identity, stamped, under intermediate and root", async () => {
  const ca = await started();
  const { status, chain, kind } = await v2(ca, { token: ca.issuer.token() });
  expect([status, kind, chain.length]).toEqual([200, "signedCertificateEmbeddedSct", 3]);
  expect(chain.slice(1)).toEqual(ca.certificates);
  const [leaf, intermediate, root] = chain.map((one) => new X509Certificate(one));
  expect(leaf?.publicKey.equals(publicKey)).toBe(true);
  expect(leaf?.subjectAltName).toBe(`URI:${somebody}`);
  expect(leaf?.verify(intermediate?.publicKey as KeyObject)).toBe(true);
  expect(intermediate?.verify(root?.publicKey as KeyObject)).toBe(true);
  expect(root?.verify(root.publicKey)).toBe(true);
  const parsed = ParsedCertificate.parse(chain[0] ?? "");
  expect(parsed.extension("1.3.6.1.4.1.57264.1.1")?.value.toString()).toBe(ca.issuer.url);
  expect(parsed.extension("1.3.6.1.4.1.57264.1.8")?.valueObj.subs[0]?.value.toString()).toBe(ca.issuer.url);
  expect(parsed.extSCT?.signedCertificateTimestamps[0]?.logID.toString("base64")).toBe(ca.ctLogs[0]?.keyId);
  expect(ca.issued).toBe(1);
});

test("the legacy endpoint: 201, certificates one after the other", async () => {
  const ca = await started({ intermediate: false });
  const body = JSON.stringify({
    publicKey: { content: Buffer.from(pem(publicKey)).toString("base64") },
    signedEmailAddress: sign("sha256", Buffer.from(somebody), privateKey).toString("base64"),
    certificateSigningRequest: null,
  });
  const headers = { authorization: `Bearer ${ca.issuer.token()}` };
  const answer = await fetch(`${ca.url}/api/v1/signingCert`, { method: "POST", headers, body });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([201, "application/pem-certificate-chain"]);
  expect((await answer.text()).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});

describe("tokens", () => {
  test.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"] satisfies TokenAlgorithm[])("%s is accepted", async (algorithm) => {
    const ca = await started();
    expect((await v2(ca, { token: ca.issuer.token({}, { algorithm }) })).status).toBe(200);
  });

  const bad: readonly (readonly [string, (issuer: OidcIssuer) => string])[] = [
    ["expired", (issuer) => issuer.token({}, { lifeMs: -1000 })],
    ["for another audience", (issuer) => issuer.token({ aud: "elsewhere" })],
    ["of another issuer", (issuer) => issuer.token({ iss: "http://127.0.0.1:1" })],
    ["changed on the way", (issuer) => spliced(issuer.token({ sub: "somebody else" }), issuer.token())],
    ["of two segments", (issuer) => issuer.token().split(".").slice(0, 2).join(".")],
    ["no token at all", () => "x"],
    [
      "signed with a key that is gone",
      (issuer) => {
        const token = issuer.token();
        issuer.rotate();
        return token;
      },
    ],
  ];
  test.each(bad)("%s is refused, and the token is not repeated", async (_, make) => {
    const ca = await started();
    const token = make(ca.issuer);
    const { status, text } = await v2(ca, { token });
    expect([status, JSON.parse(text).code]).toEqual([400, 3]);
    expect(token.length > 5 && text.includes(token)).toBe(false);
    expect(ca.issued).toBe(0);
  });

  test("each type of issuer has its subject", async () => {
    const issuers = await Promise.all([1, 2, 3, 4].map(() => oidcIssuer({ algorithm: "ES256" })));
    open.push(...issuers);
    const [mail, spiffe, kubernetes, github] = issuers as [OidcIssuer, OidcIssuer, OidcIssuer, OidcIssuer];
    const ca = await started({
      issuers: { [mail.url]: "email", [spiffe.url]: "spiffe", [kubernetes.url]: "kubernetes", [github.url]: "github-workflow" },
    });
    const subjectOf = async (token: string, challenge: string): Promise<string | undefined> => {
      const { chain, text } = await v2(ca, { token, challenge });
      return chain[0] ? new X509Certificate(chain[0]).subjectAltName : text;
    };
    const email = "a@example.test";
    expect(await subjectOf(mail.token({ email, email_verified: true }), email)).toBe(`email:${email}`);
    expect(await subjectOf(mail.token({ email, email_verified: false }), email)).toContain("identity token");
    expect(await subjectOf(spiffe.token({ sub: "spiffe://example.test/x" }), "spiffe://example.test/x")).toBe(
      "URI:spiffe://example.test/x",
    );
    const account = { "kubernetes.io": { namespace: "ns", serviceaccount: { name: "sa" } }, sub: "system:serviceaccount:ns:sa" };
    expect(await subjectOf(kubernetes.token(account), account.sub)).toBe("URI:https://kubernetes.io/namespaces/ns/serviceaccounts/sa");
    const ref = "org/repo/.github/workflows/release.yaml@refs/heads/main";
    const claims = { sub: "repo:org/repo:ref:refs/heads/main", job_workflow_ref: ref, repository: "org/repo", ref: "refs/heads/main" };
    expect(await subjectOf(github.token(claims), claims.sub)).toBe(`URI:https://github.com/${ref}`);
  });
});

test("a proof of possession for something else is refused", async () => {
  const ca = await started();
  const { status, text } = await v2(ca, { token: ca.issuer.token(), challenge: "somebody else" });
  expect([status, JSON.parse(text).message]).toEqual([400, "The signature supplied in the request could not be verified"]);
});

describe("moods", () => {
  test("another key, another chain, another log, no log, no v2", async () => {
    const ca = await started();
    const token = ca.issuer.token();
    const leafIn = async (mood: Fulcio["mood"]) => {
      ca.mood = mood;
      const { chain, status, kind } = await v2(ca, { token });
      return { status, kind, chain, parsed: chain[0] ? ParsedCertificate.parse(chain[0]) : undefined };
    };
    expect(new X509Certificate((await leafIn("other-key")).chain[0] ?? "").publicKey.equals(publicKey)).toBe(false);
    const broken = (await leafIn("broken-chain")).chain.map((one) => new X509Certificate(one));
    expect(broken[0]?.verify(broken[1]?.publicKey as KeyObject)).toBe(false);
    const other = await leafIn("other-chain");
    expect(other.chain.slice(1)).not.toEqual(ca.certificates);
    expect((await leafIn("foreign-sct")).parsed?.extSCT?.signedCertificateTimestamps[0]?.logID.toString("base64")).not.toBe(
      ca.ctLogs[0]?.keyId,
    );
    const bare = await leafIn("no-sct");
    expect([bare.kind, bare.parsed?.extSCT]).toEqual(["signedCertificateDetachedSct", undefined]);
    expect((await leafIn("no-v2")).status).toBe(404);
    expect((await leafIn(undefined)).parsed?.extSCT).toBeDefined();
  });

  test("the CT log takes another key at run time; trust roots name both", async () => {
    const ca = await started();
    ca.rotateCtLog();
    const { chain } = await v2(ca, { token: ca.issuer.token() });
    expect(ca.ctLogs).toHaveLength(2);
    const [sct] = ParsedCertificate.parse(chain[0] ?? "").extSCT?.signedCertificateTimestamps ?? [];
    expect(sct?.logID.toString("base64")).toBe(ca.ctLogs[1]?.keyId);
    const root = JSON.parse(trustedRoot({ ctLogs: ca.ctLogs, certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }] }));
    expect(root.ctlogs.map(({ logId }: { logId: { keyId: string } }) => logId.keyId)).toEqual(ca.ctLogs.map(({ keyId }) => keyId));
    expect(root.certificateAuthorities[0].certChain.certificates).toHaveLength(2);
  });
});

test("what else a Fulcio serves", async () => {
  const ca = await started();
  const json = async (path: string): Promise<unknown> => (await fetch(ca.url + path)).json();
  expect(await json("/healthz")).toEqual({ status: "SERVING" });
  expect(await json("/api/v2/trustBundle")).toEqual({ chains: [{ certificates: ca.certificates }] });
  expect(await json("/api/v2/configuration")).toEqual({
    issuers: [{ issuerUrl: ca.issuer.url, audience: "sigstore", challengeClaim: "sub" }],
  });
  expect(await json("/elsewhere")).toMatchObject({ code: 5 });
});

test("the stamp is one that verifies over the certificate without it", async () => {
  const ca = await started();
  const { chain } = await v2(ca, { token: ca.issuer.token() });
  const leaf = ParsedCertificate.parse(chain[0] ?? "");
  const [sct] = leaf.extSCT?.signedCertificateTimestamps ?? [];
  const without = leaf.clone();
  const at = without.extensions.findIndex((one) => one.subs[0]?.toOID() === "1.3.6.1.4.1.11129.2.4.2");
  without.extensions.splice(at, 1);
  const tbs = without.tbsCertificate.toDER();
  const issuerKey = new X509Certificate(chain[1] ?? "").publicKey;
  const id = createHash("sha256")
    .update(issuerKey.export({ type: "spki", format: "der" }))
    .digest();
  const preCertificate = Buffer.concat([id, Buffer.of(0, tbs.length >> 8, tbs.length & 0xff), tbs]);
  expect(sct?.verify(preCertificate, createPublicKey(ca.ctLogs[0]?.publicKey ?? ""))).toBe(true);
  expect(sct?.verify(Buffer.concat([preCertificate, Buffer.of(0)]), createPublicKey(ca.ctLogs[0]?.publicKey ?? ""))).toBe(false);
});
