import { createHash } from "node:crypto";

/** A way to be let in. `source` says in words where it comes from, for sentences: "Secret ci/push", "/home/me/.docker/config.json". */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string; readonly source: string }
  /** An OAuth2 refresh token, as `docker login` keeps it for some registries. */
  | { readonly kind: "identity-token"; readonly token: string; readonly source: string }
  /** A bearer token that the registry takes as it is. */
  | { readonly kind: "registry-token"; readonly token: string; readonly source: string }
  | { readonly kind: "anonymous"; readonly source: string };

export const anonymous: Credential = { kind: "anonymous", source: "no credentials" };

/** Tells credentials apart as a key of a map, without keeping them there. */
export const fingerprintOf = (credential: Credential): string =>
  createHash("sha256")
    .update(JSON.stringify({ ...credential, source: "" }))
    .digest("base64");
