import { readFileSync } from "node:fs";
import { tempFolder } from "../temp-folder.ts";
import { cosign } from "../tool.ts";
import type { Fulcio } from "./fulcio.ts";
import type { Rekor } from "./rekor.ts";
import type { RekorTiles } from "./rekor-tiles.ts";
import type { TimestampServer } from "./timestamp.ts";

/** What a verifier shall believe. */
export interface Believed {
  readonly fulcio?: Pick<Fulcio, "url" | "chainFile" | "ctLog"> | undefined;
  readonly rekor?: Pick<Rekor, "url" | "publicKeyFile"> | undefined;
  readonly tiles?: Pick<RekorTiles, "url" | "origin" | "publicKeyFile"> | undefined;
  readonly timestamps?: Pick<TimestampServer, "url" | "chainFile"> | undefined;
}

export interface TrustedRoot {
  readonly file: string;
  readonly text: string;
}

const from = "start-time=2020-01-01T00:00:00Z";
const one = (flag: string, ...values: (string | undefined)[]): string[] =>
  values.flatMap((value) => (value === undefined ? [] : [`--${flag}=${value}`]));

/** trusted_root.json as cosign itself writes it. */
export async function trustedRootOf({ fulcio, rekor, tiles, timestamps }: Believed): Promise<TrustedRoot> {
  const file = `${tempFolder("trusted-root")}/trusted_root.json`;
  await cosign([
    ...["trusted-root", "create", `--out=${file}`],
    ...one("fulcio", fulcio && `url=${fulcio.url},certificate-chain=${fulcio.chainFile}`),
    ...one("ctfe", fulcio?.ctLog && `url=${fulcio.ctLog.url},public-key=${fulcio.ctLog.publicKeyFile},${from}`),
    ...one("rekor", rekor && `url=${rekor.url},public-key=${rekor.publicKeyFile},${from}`),
    // A log of the second generation is known by its key and its name together.
    ...one("rekor", tiles && `url=${tiles.url},public-key=${tiles.publicKeyFile},${from},origin=${tiles.origin}`),
    ...one("tsa", timestamps && `url=${timestamps.url},certificate-chain=${timestamps.chainFile}`),
  ]);
  return { file, text: readFileSync(file, "utf8") };
}

/** A file for `cosign sign --signing-config`: where certificates, log entries and timestamps come from. */
export async function signingConfigOf({ fulcio, rekor, tiles, timestamps }: Believed): Promise<string> {
  const file = `${tempFolder("signing-config")}/signing_config.json`;
  const log = (at: { readonly url: string } | undefined, version: number): string | undefined =>
    at && `url=${at.url},api-version=${version},${from},operator=test`;
  await cosign([
    ...["signing-config", "create", `--out=${file}`],
    ...one("fulcio", log(fulcio, 1)),
    ...one("rekor", log(rekor, 1), log(tiles, 2)),
    ...(rekor || tiles ? ["--rekor-config=ANY"] : []),
    ...one("tsa", log(timestamps, 1)),
    ...(timestamps ? ["--tsa-config=ANY"] : []),
  ]);
  return file;
}
