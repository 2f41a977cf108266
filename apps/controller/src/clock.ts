/** Time, as far as the controller needs it; tests move it by hand. */
export interface Clock {
  now(): number;
  /** Calls back once; the answer cancels. */
  after(ms: number, then: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, then) {
    const timer = setTimeout(then, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
