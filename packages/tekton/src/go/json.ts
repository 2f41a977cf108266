/**
 * A JSON value on its way to text. Objects with names known to us are plain objects in the order in which Go declares their
 * fields; objects whose keys came from the run are Maps, because JavaScript sorts keys like "10" to the front of an object.
 * A member that is undefined is absent.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | ReadonlyMap<string, Json> | RawJson | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** JSON that passes through untouched: custom task specs, managed fields. */
export class RawJson {
  /** As JSON.parse read it: key order and number spelling may be lost. */
  readonly value: unknown;
  readonly #text: () => string;

  constructor(value: unknown, text: () => string) {
    this.value = value;
    this.#text = text;
  }

  /** As the API server wrote it. Found on demand: few payloads need it. */
  get text(): string {
    return this.#text();
  }
}
