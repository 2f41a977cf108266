import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fulcio, type IssuerType, type OidcIssuer, oidcIssuer, trustedRoot } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFacts } from "./harness/certificate-facts.ts";
import {
  type Answer,
  type Ask,
  cosign,
  request,
  type Sigstore,
  signingConfigOf,
  startSigstore,
  tempFolder,
  trustedRootOf,
} from "./harness/index.ts";
import "./harness/on-failure.ts";

/**
 * The same requests to packages/testing's Fulcio and to the real one: statuses, shapes, what is in the certificate. Allowed to differ: names,
 * serial numbers and the order of extensions; the texts of refusals, of which both tell only that there was something wrong. Ours knows no
 * domain that the subjects of an issuer must be in.
 */
const types = ["email", "uri", "kubernetes"] as const satisfies readonly IssuerType[];
type Type = (typeof types)[number];

interface Side {
  readonly url: string;
  stop(): Promise<void>;
}
let issuers: Readonly<Record<Type, OidcIssuer>>;
let sigstore: Sigstore;
let ours: Side & Pick<Awaited<ReturnType<typeof fulcio>>, "certificates" | "ctLogs">;
let stranger: OidcIssuer;

beforeAll(async () => {
  const [email, uri, kubernetes, unknown] = await Promise.all([oidcIssuer(), oidcIssuer(), oidcIssuer(), oidcIssuer()]);
  issuers = { email, uri, kubernetes };
  stranger = unknown;
  sigstore = await startSigstore({
    issuers: types.map((type) => ({ url: issuers[type].url, type, ...(type === "uri" ? { subjectDomain: issuers.uri.url } : {}) })),
  });
  const fake = await fulcio({ issuers: Object.fromEntries(types.map((type) => [issuers[type].url, type])), intermediate: false });
  ours = { url: fake.url, certificates: fake.certificates, ctLogs: fake.ctLogs, stop: fake.close };
});
afterAll(async () => {
  await Promise.all([...Object.values(issuers ?? {}), stranger].map((issuer) => issuer?.close()));
  await Promise.all([sigstore?.stop(), ours?.stop()]);
});

async function both<T>(look: (side: Side) => Promise<T>): Promise<readonly [T, T]> {
  return [await look(ours), await look(sigstore.fulcio)];
}
async function alike<T>(look: (side: Side) => Promise<T>): Promise<T> {
  const [fake, real] = await both(look);
  expect(fake).toEqual(real);
  return real;
}

const claims: Readonly<Record<Type, () => Readonly<Record<string, unknown>>>> = {
  email: () => ({ sub: "ann", email: "ann@example.test", email_verified: true }),
  uri: () => ({ sub: `${issuers.uri.url}/builders/one` }),
  kubernetes: () => ({
    sub: "system:serviceaccount:build:builder",
    "kubernetes.io": { namespace: "build", serviceaccount: { name: "builder", uid: "1" }, pod: { name: "p", uid: "2" } },
  }),
};
const challenge: Readonly<Record<Type, () => string>> = {
  email: () => "ann@example.test",
  uri: () => `${issuers.uri.url}/builders/one`,
  kubernetes: () => "system:serviceaccount:build:builder",
};
const subject: Readonly<Record<Type, () => string>> = {
  email: () => "email:ann@example.test",
  uri: () => `URI:${issuers.uri.url}/builders/one`,
  kubernetes: () => "URI:https://kubernetes.io/namespaces/build/serviceaccounts/builder",
};
const tokenOf = (type: Type, more: object = {}, how: { readonly lifeMs?: number } = {}): string =>
  issuers[type].token({ ...claims[type](), ...more }, how);

interface Order {
  readonly token: string;
  readonly signs?: string;
  readonly key?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly proof?: string;
  readonly content?: string;
}
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const proofOf = ({ signs = "ann@example.test", key = p256, proof }: Order): string =>
  proof ?? sign(key.publicKey.asymmetricKeyType === "ed25519" ? null : "sha256", Buffer.from(signs), key.privateKey).toString("base64");
const pemOf = ({ key = p256, content }: Order): string => content ?? key.publicKey.export({ type: "spki", format: "pem" }).toString();

const v2: (order: Order) => Ask = (order) => ({
  method: "POST",
  body: {
    credentials: { oidcIdentityToken: order.token },
    publicKeyRequest: { publicKey: { algorithm: "ECDSA", content: pemOf(order) }, proofOfPossession: proofOf(order) },
  },
});
const v1: (order: Order) => Ask = (order) => ({
  method: "POST",
  token: order.token,
  body: { publicKey: { content: Buffer.from(pemOf(order)).toString("base64") }, signedEmailAddress: proofOf(order) },
});
const orderV2 = (side: Side, order: Order): Promise<Answer> => request(`${side.url}/api/v2/signingCert`, v2(order));
const orderV1 = (side: Side, order: Order): Promise<Answer> => request(`${side.url}/api/v1/signingCert`, v1(order));

interface CertificateAnswer {
  readonly signedCertificateEmbeddedSct: { readonly chain: { readonly certificates: readonly string[] } };
}
const chainIn = (answer: Answer): readonly string[] => (answer.json() as CertificateAnswer).signedCertificateEmbeddedSct.chain.certificates;

describe("what it tells of itself", () => {
  test.each(["/healthz", "/api/v1/rootCert", "/api/v2/trustBundle", "/api/v2/configuration", "/api/v2/nothing"])("%s", async (path) => {
    await alike(async (side) => {
      const { status, headers, text } = await request(side.url + path);
      return [
        status,
        status === 200 && headers["content-type"],
        path.startsWith("/api/v2") && status === 200 ? Object.keys(JSON.parse(text)) : [],
      ];
    });
  });

  test("the trust bundle is the chain that rootCert gives", async () => {
    const [fake, real] = await both(async ({ url }) => {
      const bundle = (await request(`${url}/api/v2/trustBundle`)).json() as { chains: { certificates: string[] }[] };
      return [
        bundle.chains.length,
        bundle.chains[0]?.certificates.join("").replaceAll("\n", "") ===
          (await request(`${url}/api/v1/rootCert`)).text.replaceAll("\n", ""),
      ];
    });
    expect([fake, real]).toEqual([
      [1, true],
      [1, true],
    ]);
  });

  test("each issuer with what its proof is made over", async () => {
    const told = await alike(async ({ url }) => {
      const { issuers: list } = (await request(`${url}/api/v2/configuration`)).json() as {
        issuers: { issuerUrl: string; audience: string; challengeClaim: string }[];
      };
      return list
        .filter(({ issuerUrl }) => types.some((type) => issuers[type].url === issuerUrl))
        .map(({ issuerUrl, audience, challengeClaim }) => `${issuerUrl} ${audience} ${challengeClaim}`)
        .sort();
    });
    expect(told).toHaveLength(3);
  });
});

describe("a good order", () => {
  test.each(types)("%s", async (type) => {
    const seen = await alike(async (side) => {
      const answer = await orderV2(side, { token: tokenOf(type), signs: challenge[type]() });
      expect(answer.status).toBe(200);
      const chain = chainIn(answer);
      const [leaf = "", issuing = ""] = chain;
      expect(new X509Certificate(leaf).verify(new X509Certificate(issuing).publicKey)).toBe(true);
      expect(new X509Certificate(leaf).publicKey.equals(p256.publicKey)).toBe(true);
      return [answer.headers["content-type"], chain.length, certificateFacts(leaf)];
    });
    expect(seen[2]).toMatchObject({ subjectAltName: subject[type](), minutes: 10, extendedKeyUsage: ["1.3.6.1.5.5.7.3.3"] });
  });

  test.each(types)("%s, the old way", async (type) => {
    await alike(async (side) => {
      const answer = await orderV1(side, { token: tokenOf(type), signs: challenge[type]() });
      const pems = answer.text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
      return [answer.status, answer.headers["content-type"], pems.length, pems.join("\n") === answer.text, certificateFacts(pems[0] ?? "")];
    });
  });

  test.each([
    ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["P-521", generateKeyPairSync("ec", { namedCurve: "P-521" })],
    ["RSA 2048", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["RSA 1024", generateKeyPairSync("rsa", { modulusLength: 1024 })],
    ["Ed25519", generateKeyPairSync("ed25519")],
    ["secp256k1", generateKeyPairSync("ec", { namedCurve: "secp256k1" })],
  ])("a key of %s, its proof with each hash", async (_, key) => {
    for (const hash of key.publicKey.asymmetricKeyType === "ed25519" ? [null] : ["sha256", "sha384", "sha512"]) {
      const proof = sign(hash, Buffer.from("ann@example.test"), key.privateKey).toString("base64");
      await alike(async (side) => (await orderV2(side, { token: tokenOf("email"), key, proof })).status);
    }
  });
});

describe("a bad order", () => {
  const bad: readonly (readonly [string, () => Order])[] = [
    ["no token", () => ({ token: "" })],
    ["a token of two segments", () => ({ token: tokenOf("email").split(".").slice(0, 2).join(".") })],
    ["a token that is no token", () => ({ token: "nonsense" })],
    ["an expired token", () => ({ token: tokenOf("email", { iat: 1, nbf: 1, exp: 2 }) })],
    ["another audience", () => ({ token: tokenOf("email", { aud: "somebody-else" }) })],
    ["an issuer that is not configured", () => ({ token: stranger.token(claims.email()) })],
    ["an address that is not verified", () => ({ token: tokenOf("email", { email_verified: false }) })],
    ["no address", () => ({ token: tokenOf("email", { email: undefined }) })],
    [
      "a token signed by another key",
      () => ({ token: `${tokenOf("email").split(".").slice(0, 2).join(".")}.${tokenOf("uri").split(".")[2]}` }),
    ],
    ["a proof over something else", () => ({ token: tokenOf("email"), signs: "bob@example.test" })],
    ["a proof that is no signature", () => ({ token: tokenOf("email"), proof: Buffer.from("no").toString("base64") })],
    ["no proof", () => ({ token: tokenOf("email"), proof: "" })],
    ["no key", () => ({ token: tokenOf("email"), content: "" })],
    ["a key that is none", () => ({ token: tokenOf("email"), content: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" })],
  ];
  test.each(bad)("%s", async (_, order) => {
    const seen = await alike(async (side) => {
      const { status, text } = await orderV2(side, order());
      const { code, message, details } = JSON.parse(text) as { code: number; message: string; details: unknown[] };
      return [status, code, typeof message, details];
    });
    expect(seen[0]).toBeGreaterThanOrEqual(400);
  });
  test.each(bad)("%s, the old way", async (_, order) => {
    await alike(async (side) => {
      const { status, text } = await orderV1(side, order());
      return [status, (JSON.parse(text) as { code: number }).code];
    });
  });
  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["an empty object", "{}"],
    ["an array", "[]"],
  ])("%s", async (_, body) => {
    await alike(
      async ({ url }) =>
        (await request(`${url}/api/v2/signingCert`, { method: "POST", body, headers: { "content-type": "application/json" } })).status,
    );
  });
});

test("cosign takes certificates from either, and believes them by the trust root", async () => {
  const folder = tempFolder("fulcio-contract");
  writeFileSync(`${folder}/blob`, "hello");
  const { rekor } = sigstore;
  const rootOf = { ours: `${folder}/ours.json`, theirs: (await trustedRootOf({ fulcio: sigstore.fulcio, rekor })).file };
  const { tlogs } = JSON.parse(sigstore.trustedRoot.text) as { tlogs: object[] };
  const made = JSON.parse(
    trustedRoot({ certificateAuthorities: [{ url: ours.url, certificates: ours.certificates }], ctLogs: ours.ctLogs }),
  ) as object;
  writeFileSync(rootOf.ours, JSON.stringify({ ...made, tlogs }));
  for (const [name, fulcioSide, mine, other] of [
    ["ours", { ...sigstore.fulcio, url: ours.url }, rootOf.ours, rootOf.theirs],
    ["theirs", sigstore.fulcio, rootOf.theirs, rootOf.ours],
  ] as const) {
    const config = await signingConfigOf({ fulcio: fulcioSide, rekor });
    const bundle = `${folder}/${name}.bundle`;
    await cosign([
      "sign-blob",
      "--yes",
      `--signing-config=${config}`,
      `--trusted-root=${mine}`,
      `--identity-token=${tokenOf("email")}`,
      `--bundle=${bundle}`,
      `${folder}/blob`,
    ]);
    const verified = (root: string): Promise<number> =>
      cosign(
        [
          "verify-blob",
          "--certificate-identity=ann@example.test",
          `--certificate-oidc-issuer=${issuers.email.url}`,
          `--trusted-root=${root}`,
          `--bundle=${bundle}`,
          `${folder}/blob`,
        ],
        {},
        { mayFail: true },
      ).then(({ code }) => code);
    expect([name, await verified(mine)]).toEqual([name, 0]);
    expect([name, await verified(other)]).not.toEqual([name, 0]);
  }
});
