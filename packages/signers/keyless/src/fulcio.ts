import { type Call, CountersignError } from "@countersign/core";
import { type Http, HttpError, type HttpRequest, type HttpResponse, isOutage, isUntrusted, placeOf, retryAfterMs } from "@countersign/http";
import { pemsIn } from "./certificate-chain.ts";
import { expired, type Identity } from "./identity.ts";

/** What a CA gave us; nothing in it is checked yet. */
export interface Issued {
  /** PEM */
  readonly certificate: string;
  /** PEMs, intermediates first, byte for byte as they came. */
  readonly chain: string;
  /** The CT log's answer, when it is not inside the certificate. */
  readonly detachedStamp: Uint8Array | undefined;
}

export interface CertificateRequest {
  /** SPKI PEM. */
  readonly publicKey: string;
  /** By the same key, over the identity's challenge. */
  readonly proof: Uint8Array;
  readonly identity: Identity;
}

/** Fulcio's API, as far as signing needs it. Throws CountersignError "sign.ca-…"; no token and no word of an answer is in it. */
export interface FulcioClient {
  /** Origin and path, for sentences. */
  readonly place: string;
  certificate(request: CertificateRequest, call: Call & { readonly now: number }): Promise<Issued>;
}

/**
 * Version 2 of the API first; where there is none, the legacy one that Tekton Chains uses. Both have been served side by side since 2022,
 * but a private Fulcio behind a gateway may show only one of them.
 */
export function fulcioClient({ url, http }: { readonly url: string; readonly http: Pick<Http, "request"> }): FulcioClient {
  const place = URL.canParse(url) ? placeOf(url).replace(/\/+$/, "") : "";
  let legacy = false;

  return {
    place,
    async certificate(request, call) {
      if (!/^https?:/.test(place))
        throw new CountersignError("sign.ca-address", "signers.x509.fulcio.address is no http or https URL: give Fulcio's address", {
          retry: "hold",
        });
      if (!legacy) {
        const answer = await asked(v2Request(request), call);
        if (![404, 405, 501].includes(answer.status)) return issuedFrom(accepted(answer, request, call.now), v2Certificates);
      }
      const answer = await asked(legacyRequest(request), call);
      const issued = issuedFrom(accepted(answer, request, call.now), legacyCertificates);
      legacy = true;
      return issued;
    },
  };

  /** A second certificate does no harm, so a request that broke off is made again. */
  async function asked({ path, ...rest }: Question, { signal }: Call): Promise<HttpResponse> {
    const limits = { tries: 3, headersMs: 15_000, totalMs: 30_000, maxBytes: 1024 * 1024 };
    const request: HttpRequest = { method: "POST", url: `${place}/api/${path}/signingCert`, ...rest, ...limits, signal };
    try {
      return await http.request(request);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const retry = isOutage(error) || error.fault === "too-large" ? "wait" : "hold";
      const hint = isUntrusted(error) ? "; add the CA that its TLS certificate comes from" : "";
      throw new CountersignError("sign.ca-unreachable", `no certificate from Fulcio: ${error.message}${hint}`, { retry, cause: error });
    }
  }

  function accepted(answer: HttpResponse, { identity }: CertificateRequest, now: number): HttpResponse {
    const { status, headers } = answer;
    if (status === 200 || status === 201) return answer;
    if (isOutage(status))
      throw new CountersignError("sign.ca-unavailable", `Fulcio at ${place} answered ${status}; it is asked again`, {
        retry: "wait",
        retryAfterMs: retryAfterMs(headers),
      });
    if (status === 404 || status === 405 || status === 501)
      throw refused(`there is no Fulcio at ${place}, it answered ${status}: check signers.x509.fulcio.address`);
    if (identity.expiresAt !== undefined && identity.expiresAt <= now) throw expired(identity, now);
    throw refused(`Fulcio at ${place} answered ${status} to the identity token from ${identity.source}: ${whatToCheck(identity)}`);
  }

  function issuedFrom(answer: HttpResponse, read: (answer: HttpResponse) => Issued | undefined): Issued {
    const issued = read(answer);
    if (issued) return issued;
    throw new CountersignError("sign.ca-answer", `Fulcio at ${place} answered something that holds no certificate; it is asked again`, {
      retry: "wait",
    });
  }
}

const whatToCheck = ({ forSigstore }: Identity): string =>
  forSigstore
    ? "its issuer must be among those that this Fulcio is configured for, and the clocks of all three must agree"
    : "the token is not made for the audience sigstore; set that audience where the token is made (the projected volume, the job)";

const refused = (sentence: string): CountersignError => new CountersignError("sign.ca-refused", sentence, { retry: "hold" });

interface Question extends Pick<HttpRequest, "headers" | "body"> {
  readonly path: "v1" | "v2";
}

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString("base64");
const json = { "content-type": "application/json" };

function v2Request({ publicKey, proof, identity }: CertificateRequest): Question {
  const body = {
    credentials: { oidcIdentityToken: identity.token },
    publicKeyRequest: { publicKey: { algorithm: "ECDSA", content: publicKey }, proofOfPossession: base64(proof) },
  };
  return { path: "v2", headers: json, body: JSON.stringify(body) };
}

function legacyRequest({ publicKey, proof, identity }: CertificateRequest): Question {
  const body = { publicKey: { content: base64(publicKey) }, signedEmailAddress: base64(proof), certificateSigningRequest: null };
  return { path: "v1", headers: { ...json, authorization: `Bearer ${identity.token}` }, body: JSON.stringify(body) };
}

function v2Certificates({ body }: HttpResponse): Issued | undefined {
  const { signedCertificateEmbeddedSct, signedCertificateDetachedSct } = objectFrom(body);
  const { chain, signedCertificateTimestamp: stamp } = asObject(signedCertificateEmbeddedSct ?? signedCertificateDetachedSct);
  const { certificates } = asObject(chain);
  if (!Array.isArray(certificates) || !certificates.every((one) => typeof one === "string")) return undefined;
  const [certificate = "", ...rest] = certificates.map(lineEnded);
  const detachedStamp = typeof stamp === "string" && stamp !== "" ? Buffer.from(stamp, "base64") : undefined;
  return pemsIn(certificate).length === 1 ? { certificate, chain: rest.join(""), detachedStamp } : undefined;
}

/** The first certificate, and whatever follows it. */
function legacyCertificates({ body, headers }: HttpResponse): Issued | undefined {
  const text = Buffer.from(body).toString();
  const [certificate] = pemsIn(text);
  if (!certificate) return undefined;
  const end = text.indexOf(certificate.trimEnd()) + certificate.trimEnd().length;
  const stamp = headers["sct"];
  const detachedStamp = stamp ? Buffer.from(stamp, "base64") : undefined;
  return { certificate, chain: text.slice(end).replace(/^\r?\n/, ""), detachedStamp };
}

const lineEnded = (pem: string): string => (pem.endsWith("\n") ? pem : `${pem}\n`);
const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** Without a cause: JSON.parse quotes what it was given. */
function objectFrom(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(Buffer.from(body).toString()));
  } catch {
    return {};
  }
}
