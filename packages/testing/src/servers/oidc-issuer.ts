import { constants, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { listening } from "./listening.ts";

export type TokenAlgorithm = "RS256" | "PS256" | "ES256" | "ES384" | "EdDSA";

export interface OidcIssuerOptions {
  /** What its tokens are signed with unless asked otherwise. Default RS256. */
  readonly algorithm?: TokenAlgorithm;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly port?: number;
}

export interface OidcIssuer {
  /** What its tokens carry as `iss`. */
  readonly url: string;
  /** A signed token for the audience "sigstore", good for ten minutes; claims overrule what is said by default. */
  token(claims?: Readonly<Record<string, unknown>>, how?: { readonly algorithm?: TokenAlgorithm; readonly lifeMs?: number }): string;
  /** New keys from now on: tokens of the old ones are good no longer. */
  rotate(): void;
  close(): Promise<void>;
}

interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** An OpenID Connect issuer with discovery and JWKS on plain HTTP. It hands tokens to whoever holds the object, not over the wire. */
export async function oidcIssuer({ algorithm = "RS256", now = Date.now, port = 0 }: OidcIssuerOptions = {}): Promise<OidcIssuer> {
  const keys = new Map<TokenAlgorithm, IssuerKey>();
  const keyFor = (wanted: TokenAlgorithm): IssuerKey => {
    const key = keys.get(wanted) ?? { kid: randomUUID(), privateKey: makers[wanted]() };
    keys.set(wanted, key);
    return key;
  };

  const server = createServer((request, response) => {
    const documents: Readonly<Record<string, () => object>> = {
      "/.well-known/openid-configuration": () => ({
        issuer: url,
        jwks_uri: `${url}/keys`,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: Object.keys(makers),
      }),
      "/keys": () => ({ keys: [...keys].map(([alg, { kid, privateKey }]) => jwkOf(alg, kid, privateKey)) }),
    };
    const document = documents[request.url ?? ""];
    response.writeHead(document ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(document?.() ?? {}));
  });
  const { host, close } = await listening(server, port);
  const url = `http://${host}`;

  return {
    url,
    token(claims = {}, { algorithm: alg = algorithm, lifeMs = 600_000 } = {}) {
      const { kid, privateKey } = keyFor(alg);
      const iat = Math.floor(now() / 1000);
      const times = { iat, nbf: iat, exp: iat + Math.floor(lifeMs / 1000) };
      const body = { iss: url, sub: "https://example.test/somebody", aud: "sigstore", ...times, ...claims };
      const signed = `${segment({ alg, kid, typ: "JWT" })}.${segment(body)}`;
      return `${signed}.${signers[alg](Buffer.from(signed), privateKey).toString("base64url")}`;
    },
    rotate: () => keys.clear(),
    close,
  };
}

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function jwkOf(alg: TokenAlgorithm, kid: string, key: KeyObject): object {
  return { ...createPublicKey(key).export({ format: "jwk" }), alg, kid, use: "sig" };
}

const rsa = (): KeyObject => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const makers: Readonly<Record<TokenAlgorithm, () => KeyObject>> = {
  RS256: rsa,
  PS256: rsa,
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  EdDSA: () => generateKeyPairSync("ed25519").privateKey,
};

type SignToken = (message: Buffer, key: KeyObject) => Buffer;
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const signers: Readonly<Record<TokenAlgorithm, SignToken>> = {
  RS256: (message, key) => sign("sha256", message, key),
  PS256: (message, key) => sign("sha256", message, { key, ...pss }),
  ES256: (message, key) => sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }),
  ES384: (message, key) => sign("sha384", message, { key, dsaEncoding: "ieee-p1363" }),
  EdDSA: (message, key) => sign(null, message, key),
};
