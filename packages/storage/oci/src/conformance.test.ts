import { type Http, http } from "@countersign/http";
import { anAttestation, canary, localhostTls, misbehave, registry } from "@countersign/testing";
import { type StorageCandidate, storageConformance } from "@countersign/testing/conformance";
import { afterEach, describe, expect, test } from "vitest";
import type { CredentialSource } from "./keychain.ts";
import { ociStorage } from "./oci-storage.ts";

const call = { signal: new AbortController().signal };
const pusher: CredentialSource = async () => [{ kind: "basic", username: "pusher", password: "pw", source: "secret ci/push" }];
const nobody: CredentialSource = async () => [];
const auth = { scheme: "bearer", users: { pusher: "pw" } } as const;
const wireOf = (): Http => http({ env: {}, backOffMs: () => 1 });
const faults = { "401": { kind: "status", status: 401 }, "503": { kind: "status", status: 503 }, never: { kind: "half-open" } } as const;

describe.each([
  ["that takes blobs at once", { monolithic: true }, undefined],
  ["that wants upload sessions, behind a token service", { monolithic: false, referrers: false }, auth],
])("the storage exam, with a registry %s", (_, manners, door) => {
  storageConformance(test, async (): Promise<StorageCandidate> => {
    const behind = await registry(manners);
    const front = await misbehave(behind.url, door ? { auth: door } : {});
    const wire = wireOf();
    return {
      backend: ociStorage({ http: wire, credentials: door ? pusher : nobody, lookAfterMs: () => 1 }),
      repository: `${front.host}/team/app`,
      setMood: (mood) => {
        front.fault = () => (mood === "well" ? undefined : faults[mood]);
      },
      close: async () => {
        await front.close();
        await behind.close();
        await wire.close();
      },
    };
  });
});

describe.each([true, false])("the storage exam for bundles, with the Referrers API: %s", (referrers) => {
  const it: typeof storageConformance extends (it: infer I, ...rest: never[]) => unknown ? I : never = (name, body) =>
    // What has no envelope is never a bundle.
    name.includes("envelope none") ? undefined : test(name, body);
  storageConformance(it, async (): Promise<StorageCandidate> => {
    const behind = await registry({ referrers });
    const front = await misbehave(behind.url);
    const wire = wireOf();
    const { payload } = await anAttestation({ repository: `${front.host}/team/app` });
    const subject = `sha256:${payload.subjects[0]?.digest["sha256"]}`;
    const headers = {
      "content-type": "application/vnd.oci.image.manifest.v1+json",
      "content-length": "7",
      "docker-content-digest": subject,
    };
    const setMood: StorageCandidate["setMood"] = (mood) => {
      front.fault = ({ method, path }) => {
        if (mood !== "well") return faults[mood];
        // The image that all of it is about.
        return method === "HEAD" && path.endsWith(subject) ? { kind: "status", status: 200, headers, body: "" } : undefined;
      };
    };
    setMood("well");
    return {
      backend: ociStorage({ http: wire, credentials: nobody, lookAfterMs: () => 1, layout: "bundles" }),
      repository: `${front.host}/team/app`,
      setMood,
      close: async () => {
        await front.close();
        await behind.close();
        await wire.close();
      },
    };
  });
});

describe("a registry that misbehaves", () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });
  async function world(credentials = nobody, door?: typeof auth) {
    const behind = await registry();
    const front = await misbehave(behind.url, door ? { auth: door } : {});
    const wire = wireOf();
    cleanUp.push(
      () => behind.close(),
      () => front.close(),
      () => wire.close(),
    );
    const storage = ociStorage({ http: wire, credentials, lookAfterMs: () => 1 });
    const attestation = await anAttestation({ repository: `${front.host}/team/app` });
    const layers = (): number => {
      const [tag = ""] = behind.tags("team/app");
      return JSON.parse(Buffer.from(behind.manifest("team/app", tag)?.bytes ?? "{}").toString()).layers?.length ?? 0;
    };
    return { front, storage, attestation, layers };
  }

  test.each(["GET", "POST", "PUT", "HEAD"])(
    "the first answer to %s is lost, or cut: it is asked again, and stored once",
    async (method) => {
      for (const kind of ["lost-answer", "cut"] as const) {
        const { front, storage, attestation, layers } = await world();
        let failed = false;
        front.fault = (request) => {
          if (failed || request.method !== method || request.path === "/v2/") return undefined;
          failed = true;
          return { kind };
        };
        await storage.store(attestation, call);
        expect(failed).toBe(true);
        expect(layers()).toBe(1);
      }
    },
  );

  test("a registry that answers nonsense is refused, and nothing of the nonsense is repeated", async () => {
    const { front, storage, attestation } = await world();
    front.fault = ({ path }) => (path.includes("/manifests/") ? { kind: "garbage" } : undefined);
    const error = await storage.store(attestation, call).catch((error) => error);
    expect(error).toMatchObject({ code: "store.registry-refused", retry: "counted" });
    expect(`${error.message} ${error.cause?.message}`).not.toContain(canary);
  });

  test("tokens that run out in the middle are replaced", async () => {
    const { front, storage, attestation, layers } = await world(pusher, auth);
    front.fault = ({ method, path }) => {
      if (method === "PUT" && path.includes("/manifests/") && front.count("PUT") === 1) front.expireTokens();
      return undefined;
    };
    await storage.store(attestation, call);
    expect(layers()).toBe(1);
    expect(front.count("GET", /^\/token/)).toBe(2);
  });

  test("credentials go to the token service and nowhere else", async () => {
    const { front, storage, attestation } = await world(pusher, auth);
    await storage.store(attestation, call);
    const basic = front.requests.filter(({ headers }) => `${headers["authorization"]}`.startsWith("Basic "));
    expect(basic.map(({ path }) => path.split("?")[0])).toEqual(["/token"]);
  });

  test("a certificate that nobody vouches for: refused with the way out, stored when told to", async () => {
    const secure = await registry({ tls: localhostTls });
    const [strict, lenient] = [wireOf(), http({ env: {}, insecure: true })];
    cleanUp.push(
      () => secure.close(),
      () => strict.close(),
      () => lenient.close(),
    );
    const attestation = await anAttestation({ repository: `${secure.host}/team/app` });
    const error = await ociStorage({ http: strict, credentials: nobody })
      .store(attestation, call)
      .catch((error) => error);
    expect(error).toMatchObject({ code: "store.registry-refused", retry: "counted" });
    expect(error.message).toMatch(/the certificate is not trusted .*add its CA, or allow insecure registries/);
    expect(secure.seen).toEqual([]);
    const { uris } = await ociStorage({ http: lenient, insecure: true, credentials: nobody }).store(attestation, call);
    expect(uris).toHaveLength(1);
  });
});
