/**
 * Whoever asks for something that is under way waits for it and shares its outcome, good or bad. That the first one gave up is no outcome
 * for the others.
 */
export function oneFlight<T>(): (key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return async (key, signal, work) => {
    for (;;) {
      const flight = flights.get(key);
      if (!flight) return await mine(key, signal, work);
      const { outcome } = await landed(flight, signal);
      if (outcome) return outcome();
    }
  };

  async function mine(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const flight = work().catch((error: unknown) => Promise.reject(signal.aborted ? gaveUp : error));
    flights.set(key, flight);
    try {
      return await flight;
    } catch (error) {
      throw error === gaveUp ? signal.reason : error;
    } finally {
      flights.delete(key);
    }
  }
}

const gaveUp = Symbol("the first one gave up");

async function landed<T>(flight: Promise<T>, signal: AbortSignal): Promise<{ readonly outcome: (() => T) | undefined }> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const value = await Promise.race([flight, aborted.promise]);
    return { outcome: () => value };
  } catch (error) {
    signal.throwIfAborted();
    if (error === gaveUp) return { outcome: undefined };
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
