import { type Http, HttpError, type HttpRequest, type HttpResponse } from "@countersign/http";
import { describe, expect, test } from "vitest";
import { type Credential, type OpenRepository, registries } from "./index.ts";

const call = { signal: new AbortController().signal };
const answer = (status: number, headers: Record<string, string> = {}): HttpResponse => ({ status, headers, body: new Uint8Array() });
const me: Credential = { kind: "basic", username: "me", password: "pw", source: "mine" };
const challenge = { "www-authenticate": 'Basic realm="x"' };

/** An Http whose far side is a function; every request is written down as "GET https://… [auth]". */
function far(side: (url: URL, request: HttpRequest) => HttpResponse): { http: Http; seen: string[] } {
  const seen: string[] = [];
  const http: Http = {
    async request(request) {
      const url = new URL(request.url);
      seen.push(`${request.method ?? "GET"} ${url.href}${request.headers?.["authorization"] ? " with credentials" : ""}`);
      return side(url, request);
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
  return { http, seen };
}
const open = (http: Http, registry = "registry.example", insecure = false): OpenRepository =>
  registries({ http, insecure }).open({ registry, repository: "a/b" }, [me], "pull,push");

describe("an upload session", () => {
  const uploadTo = (location: string): ReturnType<typeof far> =>
    far((url, { method }) =>
      url.pathname === "/v2/" ? answer(401, challenge) : method === "POST" ? answer(202, { location }) : answer(201),
    );
  const digest = `sha256:${"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}`;

  test("elsewhere gets the bytes, but no credentials", async () => {
    const { http, seen } = uploadTo("https://uploads.example/u/1?_state=a%2Fb");
    await open(http).putBlob(Buffer.from("foo"), call);
    expect(seen.slice(1)).toEqual([
      `POST https://registry.example/v2/a/b/blobs/uploads/?digest=${digest} with credentials`,
      `PUT https://uploads.example/u/1?_state=a%2Fb&digest=${digest}`,
    ]);
  });

  test("of a registry that takes itself for one without TLS goes to its TLS address", async () => {
    const { http, seen } = uploadTo("http://registry.example/u/1");
    await open(http).putBlob(Buffer.from("foo"), call);
    expect(seen.at(-1)).toBe(`PUT https://registry.example/u/1?digest=${digest} with credentials`);
  });

  test("elsewhere without TLS is refused, and so is nonsense", async () => {
    for (const location of ["http://uploads.example/u/1", "https://["])
      await expect(open(uploadTo(location).http).putBlob(Buffer.from("foo"), call)).rejects.toMatchObject({
        name: "RegistryError",
        outage: false,
      });
  });
});

describe("the greeting", () => {
  test("of a registry that is out of order teaches nothing", async () => {
    let down = true;
    const { http, seen } = far((url, { headers }) =>
      down ? answer(503) : headers?.["authorization"] || url.pathname !== "/v2/" ? answer(404) : answer(401, challenge),
    );
    const repository = open(http);
    await expect(repository.manifest("v1", call)).rejects.toMatchObject({ outage: true });
    down = false;
    expect(await repository.manifest("v1", call)).toBeUndefined();
    expect(seen.at(-1)).toBe("GET https://registry.example/v2/a/b/manifests/v1 with credentials");
  });

  test("is given anew when a registry that spoke plain http is gone from there", async () => {
    let tls = false;
    const { http, seen } = far((url) => {
      if ((url.protocol === "https:") !== tls) throw new HttpError("connect", "refused");
      return answer(404);
    });
    const repository = open(http, "localhost:5000");
    expect(await repository.manifest("v1", call)).toBeUndefined();
    tls = true;
    await expect(repository.manifest("v1", call)).rejects.toMatchObject({ outage: true });
    expect(await repository.manifest("v1", call)).toBeUndefined();
    expect(seen.at(-1)).toBe("GET https://localhost:5000/v2/a/b/manifests/v1");
  });

  test("an untrusted certificate, or a refused host, is never answered with plain http", async () => {
    for (const error of [new HttpError("tls", "untrusted", { code: "SELF_SIGNED_CERT_IN_CHAIN" }), new HttpError("refused-host", "no")]) {
      const { http, seen } = far(() => {
        throw error;
      });
      await expect(open(http, "localhost:5000", true).manifest("v1", call)).rejects.toMatchObject({ outage: false });
      expect(seen).toEqual(["GET https://localhost:5000/v2/"]);
    }
  });

  test("nobody there is an outage, whichever of the two says so", async () => {
    for (const [tls, plain] of [
      ["tls", "connect"],
      ["connect", "tls"],
    ] as const) {
      const { http } = far((url) => {
        throw new HttpError(url.protocol === "https:" ? tls : plain, "x");
      });
      await expect(open(http, "localhost:5000").manifest("v1", call)).rejects.toMatchObject({ outage: true });
    }
  });

  test("Docker Hub is asked at its own address", async () => {
    const { http, seen } = far(() => answer(404));
    await open(http, "index.docker.io").manifest("v1", call);
    expect(seen).toEqual(["GET https://registry-1.docker.io/v2/", "GET https://registry-1.docker.io/v2/a/b/manifests/v1"]);
  });
});
