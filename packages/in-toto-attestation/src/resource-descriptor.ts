import { digestSet, optional, record, string } from "./shape.ts";

/**
 * A thing, by whatever identifies it (in-toto ResourceDescriptor v1: at least one of uri, digest and content).
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
 */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  /** DigestSet: algorithm to hex, lower case (spec/v1/digest_set.md). */
  readonly digest?: Readonly<Record<string, string>>;
  /** Base64 of the thing itself, when it is small. */
  readonly content?: string;
  readonly downloadLocation?: string;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** @throws TypeError naming the place of the first thing that is wrong */
export function checkResourceDescriptor(value: unknown, place: string): ResourceDescriptor {
  const descriptor = record(value, place);
  for (const key of ["name", "uri", "content", "downloadLocation", "mediaType"]) optional(string, descriptor[key], `${place}.${key}`);
  optional(digestSet, descriptor["digest"], `${place}.digest`);
  optional(record, descriptor["annotations"], `${place}.annotations`);
  return descriptor;
}
