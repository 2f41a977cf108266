import { expect, test } from "vitest";
import { oneFlight } from "./one-flight.ts";

const patient = { signal: new AbortController().signal };

function counted(): { asked: number; signals: AbortSignal[]; answer(value: string): void; flight: ReturnType<typeof oneFlight<string>> } {
  let pending = Promise.withResolvers<string>();
  const self = {
    asked: 0,
    signals: [] as AbortSignal[],
    answer(value: string) {
      pending.resolve(value);
      pending = Promise.withResolvers();
    },
    flight: oneFlight<string>(({ signal }) => {
      self.asked += 1;
      self.signals.push(signal);
      return pending.promise;
    }),
  };
  return self;
}

test("those who ask meanwhile share an answer, later ones ask again", async () => {
  const one = counted();
  const both = Promise.all([one.flight(patient), one.flight(patient)]);
  one.answer("a");
  expect(await both).toEqual(["a", "a"]);
  const next = one.flight(patient);
  one.answer("b");
  expect([await next, one.asked]).toEqual(["b", 2]);
});

test("one who leaves disturbs nobody", async () => {
  const one = counted();
  const impatient = new AbortController();
  const [left, stays] = [one.flight({ signal: impatient.signal }), one.flight(patient)];
  impatient.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(one.signals[0]?.aborted).toBe(false);
  one.answer("a");
  expect(await stays).toBe("a");
});

test("when the last has left the question is given up", async () => {
  const one = counted();
  const impatient = new AbortController();
  const left = one.flight({ signal: impatient.signal });
  impatient.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(one.signals[0]?.aborted).toBe(true);
  const next = one.flight(patient);
  one.answer("b");
  expect([await next, one.asked]).toEqual(["b", 2]);
});

test("a failure is everybody's", async () => {
  const flight = oneFlight(() => Promise.reject(new Error("no")));
  const both = await Promise.allSettled([flight(patient), flight(patient)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
