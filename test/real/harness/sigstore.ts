import { type OidcIssuer, oidcIssuer } from "@countersign/testing";
import { type Fulcio, type FulcioOptions, startFulcio } from "./sigstore/fulcio.ts";
import { type Rekor, startRekor } from "./sigstore/rekor.ts";
import { type RekorTiles, startRekorTiles } from "./sigstore/rekor-tiles.ts";
import { startTimestampServer, type TimestampServer } from "./sigstore/timestamp.ts";
import { startTrillian, type Trillian } from "./sigstore/trillian.ts";
import { type TrustedRoot, trustedRootOf } from "./sigstore/trust.ts";

export { type CtLog, ctLogToBe } from "./sigstore/ct-log.ts";
export { type Fulcio, type FulcioOptions, startFulcio, type TrustedIssuer } from "./sigstore/fulcio.ts";
export { type Rekor, startRekor } from "./sigstore/rekor.ts";
export { type RekorTiles, startRekorTiles } from "./sigstore/rekor-tiles.ts";
export { startTimestampServer, type TimestampServer } from "./sigstore/timestamp.ts";
export { startTrillian, type Trillian } from "./sigstore/trillian.ts";
export { type Believed, signingConfigOf, type TrustedRoot, trustedRootOf } from "./sigstore/trust.ts";

/** Sigstore's own servers, of one house: who somebody is, certificates, both generations of the log, the time. */
export interface Sigstore {
  readonly issuer: OidcIssuer;
  readonly trillian: Trillian;
  readonly fulcio: Fulcio & { readonly ctLog: NonNullable<Fulcio["ctLog"]> };
  readonly rekor: Rekor;
  readonly tiles: RekorTiles;
  readonly timestamps: TimestampServer;
  /** Believes all of the above. */
  readonly trustedRoot: TrustedRoot;
  stop(): Promise<void>;
}

/** About two seconds. Tokens of `issuer` name people by email unless other issuers are given. */
export async function startSigstore(options: Partial<Pick<FulcioOptions, "issuers">> = {}): Promise<Sigstore> {
  const issuer = await oidcIssuer();
  const trillian = await startTrillian();
  const issuers = [{ url: issuer.url, type: "email" as const }, ...(options.issuers ?? [])];
  const [made, rekor, tiles, timestamps] = await Promise.all([
    startFulcio({ issuers, trillian }),
    startRekor({ trillian }),
    startRekorTiles(),
    startTimestampServer(),
  ]);
  const { ctLog } = made;
  if (ctLog === undefined) throw new Error("Fulcio came up without its CT log");
  const fulcio = { ...made, ctLog };
  const trustedRoot = await trustedRootOf({ fulcio, rekor, tiles, timestamps });
  const stop = async (): Promise<void> => {
    await Promise.all([fulcio, rekor, tiles, timestamps, trillian].map((server) => server.stop()));
    await issuer.close();
  };
  return { issuer, trillian, fulcio, rekor, tiles, timestamps, trustedRoot, stop };
}
