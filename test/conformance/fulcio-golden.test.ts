import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Http, HttpRequest } from "@countersign/http";
import { keylessSigner } from "@countersign/signers-keyless";
import { describe, expect, test } from "vitest";
import { fulcioClient } from "../../packages/signers/keyless/src/fulcio.ts";
import { identityFrom } from "../../packages/signers/keyless/src/identity.ts";

/** What Tekton Chains asked a Fulcio and what it made of the answer: the legacy API's request is the same, and so are certificate and chain. */
const golden = join(import.meta.dirname, "../../../shared/golden/oci/http/fulcio-signingCert.json");
const present = existsSync(golden);
const call = { signal: AbortSignal.timeout(60_000) };

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly reqHeaders: Readonly<Record<string, string>>;
  readonly body: string;
  readonly resp: string;
}

function replay({ status, resp }: Recorded): Pick<Http, "request"> & { readonly asked: HttpRequest[] } {
  const asked: HttpRequest[] = [];
  return {
    asked,
    async request(request) {
      asked.push(request);
      const isLegacy = `${request.url}`.endsWith("/api/v1/signingCert");
      return { status: isLegacy ? status : 404, headers: {}, body: Buffer.from(isLegacy ? resp : "") };
    },
  };
}

const record = (): Recorded => JSON.parse(readFileSync(golden, "utf8"))[0];
const tokenOf = ({ reqHeaders }: Recorded): string => reqHeaders["Authorization"]?.replace("Bearer ", "") ?? "";
const made = 1_795_319_872_000;

describe.skipIf(!present)(`Fulcio as recorded${present ? "" : " — skipped: no ../shared/golden beside the repository"}`, () => {
  test("the same request, the same certificate and chain", async () => {
    const recorded = record();
    const [http, token, theirs] = [replay(recorded), tokenOf(recorded), JSON.parse(recorded.body)];
    const publicKey = Buffer.from(theirs.publicKey.content, "base64").toString();
    const proof = Buffer.from(theirs.signedEmailAddress, "base64");
    const identity = identityFrom({ token, source: "the record" }, made);
    const issued = await fulcioClient({ url: "http://fulcio.test", http }).certificate(
      { publicKey, proof, identity },
      { ...call, now: made },
    );
    const sent = http.asked.at(-1);
    expect([sent?.method, new URL(sent?.url ?? "").pathname, sent?.body]).toEqual([recorded.method, recorded.url, recorded.body]);
    expect(sent?.headers).toEqual({ "content-type": "application/json", authorization: `Bearer ${token}` });
    expect(issued.certificate + issued.chain).toBe(recorded.resp);
    expect(issued.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  test("the signer does not take somebody else's certificate from the record", async () => {
    const recorded = record();
    const token = tokenOf(recorded);
    const signer = keylessSigner({
      url: "http://fulcio.test",
      http: replay(recorded),
      tokens: async () => ({ token, source: "the record" }),
      now: () => made,
    });
    await expect(signer.sign(Buffer.from("x"), call)).rejects.toMatchObject({ code: "sign.certificate-unsound" });
  });
});
