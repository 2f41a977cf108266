import { expect, test } from "vitest";
import { type AuthorizationRequest, authorizer } from "./auth.ts";

/** A token service that gives t0, t1, … for the seconds it is told. */
function service(answer: (n: number) => object): { http: Parameters<typeof authorizer>[0]["http"]; urls: string[] } {
  const urls: string[] = [];
  const http = {
    async request({ url }: { url: string | URL }) {
      urls.push(String(url));
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer(urls.length - 1))) };
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
  return { http, urls };
}
const request = (repository = "team/app", fresh = false): AuthorizationRequest => ({
  operation: "GET",
  reference: "r",
  challenge: { kind: "bearer", realm: "https://auth.example/token?x=1", service: "s&t" },
  credential: { kind: "anonymous", source: "nobody" },
  place: { registry: "r.example", repository },
  actions: "pull",
  origin: "https://r.example",
  fresh,
  signal: new AbortController().signal,
});

test("a token serves until a little before its time, and for its own repository", async () => {
  let now = 0;
  const { http, urls } = service((n) => ({ token: `t${n}`, expires_in: 100 }));
  const auth = authorizer({ http, insecure: false, totalMs: 1000, now: () => now });
  expect(await auth.header(request())).toBe("Bearer t0");
  now = 89_000;
  expect(await auth.header(request())).toBe("Bearer t0");
  now = 91_000;
  expect(await auth.header(request())).toBe("Bearer t1");
  expect(await auth.header(request("other/app"))).toBe("Bearer t2");
  expect(await auth.header(request("other/app", true))).toBe("Bearer t3");
  expect(urls[0]).toBe("https://auth.example/token?x=1&service=s%26t&scope=repository%3Ateam%2Fapp%3Apull");
});

test("sixty seconds where nothing is said, an hour where days are", async () => {
  let now = 0;
  for (const [answer, seconds] of [
    [{ access_token: "a" }, 54],
    [{ token: "a", expires_in: 864_000 }, 3240],
    [{ token: "a", expires_in: "soon" }, 54],
  ] as const) {
    const { http, urls } = service(() => answer);
    const auth = authorizer({ http, insecure: false, totalMs: 1000, now: () => now });
    now = 0;
    await auth.header(request());
    now = seconds * 1000 - 1;
    await auth.header(request());
    expect(urls).toHaveLength(1);
    now += 2;
    await auth.header(request());
    expect(urls).toHaveLength(2);
  }
});

test.each([{}, { token: "" }, { token: "with space" }, { token: "line\r\nx: y" }, { token: 7 }])("%j is no token", async (answer) => {
  const { http } = service(() => answer);
  await expect(authorizer({ http, insecure: false, totalMs: 1000 }).header(request())).rejects.toThrow("gave no token");
});
