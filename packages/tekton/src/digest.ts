import { goTrim } from "./go-trim.ts";

export interface Digest {
  readonly algorithm: string;
  readonly hex: string;
}

const hexDigits: Readonly<Record<string, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 };

/** "<algorithm>:<hex>" as the reference validates it: the algorithm may be padded and in capitals, the hex padded but lower case. */
export function parseDigest(text: string): Digest | undefined {
  const [algorithm, hex, ...more] = text.split(":");
  if (algorithm === undefined || hex === undefined || more.length > 0) return undefined;
  const digest = { algorithm: goTrim(algorithm).toLowerCase(), hex: goTrim(hex) };
  const digits = Object.hasOwn(hexDigits, digest.algorithm) ? hexDigits[digest.algorithm] : undefined;
  return digest.hex.length === digits && /^[a-f0-9]*$/.test(digest.hex) ? digest : undefined;
}

/** Subjects carry the two halves as they were written, blanks, capitals and line ends included (parseDigest has said that they will do). */
export function rawDigest(text: string): Digest {
  const [algorithm = "", hex = ""] = text.split(":");
  return { algorithm, hex };
}

/** Why a text is no digest, for people. */
export function digestFault(text: string): string {
  const parts = text.split(":");
  if (text === "") return "it is empty";
  if (parts.length === 1) return 'it names no algorithm (expected "sha256:" and 64 hex digits)';
  if (parts.length > 2) return "it has more than one colon";
  const [algorithm = "", hex = ""] = parts.map((part) => goTrim(part));
  const digits = Object.hasOwn(hexDigits, algorithm.toLowerCase()) ? hexDigits[algorithm.toLowerCase()] : undefined;
  if (digits === undefined) return `"${algorithm}" is not one of ${Object.keys(hexDigits).join(", ")}`;
  if (hex.length !== digits) return `${algorithm} needs ${digits} hex digits, found ${hex.length}`;
  return /[A-F]/.test(hex) ? "the hex digits must be in lower case" : "it holds characters that are no hex digits";
}
