import { describe, expect, test } from "vitest";
import { type Breaker, type BreakerOptions, breaker } from "./breaker.ts";
import { HttpError } from "./fault.ts";

const origin = "https://r.example";
const said = (status: number) => ({ status, headers: {}, body: Buffer.of() });
const cut = new HttpError("reset", "GET https://r.example/: the connection was cut");

function at(options: BreakerOptions = {}) {
  let now = 0;
  const told: [string, number][] = [];
  const one: Breaker = breaker({ now: () => now, recovered: (...what) => told.push(what), ...options });
  let asked = 0;
  /** What came of it: a status, a fault, or "paused". */
  const ask = (answer: number | Error | Promise<number>, at = origin) =>
    one
      .ask(at, "GET x", async () => {
        asked += 1;
        if (answer instanceof Error) throw answer;
        return said(await answer);
      })
      .then(
        ({ status }) => status,
        (error: HttpError) => error.fault ?? error.message,
      );
  return {
    ask,
    told,
    asked: () => asked,
    isDown: (where = origin) => one.isDown(where),
    move: (ms: number) => {
      now += ms;
    },
  };
}
const times = async (n: number, work: () => Promise<unknown>) => {
  for (let i = 0; i < n; i++) await work();
};

describe("an origin that is down", () => {
  test("is asked five times, then rests; one probe at a time, ever less often, until it answers", async () => {
    const { ask, move, told, asked } = at();
    await times(4, () => ask(cut));
    expect(await ask(503)).toBe(503);
    expect(await ask(200)).toBe("paused");
    move(999);
    expect(await ask(200)).toBe("paused");
    move(1);
    expect(await ask(cut)).toBe("reset");
    move(1_999);
    expect(await ask(200)).toBe("paused");
    move(1);
    expect(await ask(504)).toBe(504);
    expect(told).toEqual([]);
    move(10_000);
    expect(await ask(404)).toBe(404);
    expect(await ask(200)).toBe(200);
    expect(told).toEqual([[origin, 13_000]]);
    expect(asked()).toBe(9);
  });

  test("ten that fail together are one reason to rest", async () => {
    const { ask, move } = at();
    const { promise, reject } = Promise.withResolvers<number>();
    const all = Array.from({ length: 10 }, () => ask(promise));
    reject(cut);
    await Promise.all(all);
    move(1_000);
    expect(await ask(200)).toBe(200);
  });

  test("waits at most half a minute between two probes", async () => {
    const { ask, move } = at();
    await times(5, () => ask(cut));
    for (let n = 0; n < 20; n++) {
      move(30_000);
      expect(await ask(cut)).toBe("reset");
    }
    move(29_999);
    expect(await ask(200)).toBe("paused");
    move(1);
    expect(await ask(200)).toBe(200);
  });

  test("is probed by one, while the others rest", async () => {
    const { ask, move } = at();
    await times(5, () => ask(cut));
    move(1_000);
    const { promise, resolve } = Promise.withResolvers<number>();
    const probe = ask(promise);
    expect(await Promise.all([ask(200), ask(200)])).toEqual(["paused", "paused"]);
    resolve(200);
    expect([await probe, await ask(200)]).toEqual([200, 200]);
  });

  test("a probe that its caller gives up frees the way for the next", async () => {
    const { ask, move } = at();
    await times(5, () => ask(cut));
    move(1_000);
    expect(await ask(new Error("stopped"))).toBe("stopped");
    expect(await ask(200)).toBe(200);
  });
});

test("one answer between, and it starts anew; each origin for itself", async () => {
  const { ask } = at();
  for (let round = 0; round < 3; round++) {
    await times(4, () => ask(cut));
    expect(await ask(401)).toBe(401);
  }
  await times(5, () => ask(cut));
  expect([await ask(200), await ask(200, "https://other.example")]).toEqual(["paused", 200]);
});

test("429 and 500 may be about one request: never a rest, but its end is told", async () => {
  const { ask, move, told } = at();
  await times(20, () => ask(429));
  await times(20, () => ask(500));
  move(9_999);
  await ask(200);
  expect(told).toEqual([]);
  await ask(500);
  move(10_000);
  await ask(200);
  expect(told).toEqual([[origin, 10_000]]);
});

test("ten seconds without one good answer, of whatever kind the trouble is: it is down", async () => {
  const { ask, move, isDown } = at();
  expect(isDown()).toBe(false);
  for (const trouble of [500, 503, cut]) {
    await ask(trouble);
    move(9_999);
    expect(isDown()).toBe(false);
    move(1);
    expect(isDown()).toBe(true);
    expect(isDown("https://other.example")).toBe(false);
    await ask(200);
    expect(isDown()).toBe(false);
  }
});

test("what is wrong with us, or untrusted, is neither", async () => {
  const { ask } = at();
  await times(20, () => ask(new HttpError("tls", "x")));
  await times(20, () => ask(new HttpError("refused-host", "x")));
  await times(20, () => ask(new HttpError("too-large", "x")));
  expect(await ask(200)).toBe(200);
});

test("the thousand that failed last are known", async () => {
  const { ask } = at({ failures: 1 });
  for (let n = 0; n <= 1_000; n++) await ask(cut, `https://r${n}.example`);
  expect([await ask(200, "https://r0.example"), await ask(200, "https://r1.example")]).toEqual([200, "paused"]);
});
