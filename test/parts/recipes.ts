import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { arch, platform } from "node:os";

export type PartName =
  | ("kube-apiserver" | "etcd" | "kubectl")
  | ("oci-registry" | "docker-registry" | "crane" | "oras" | "cosign" | "rekor-cli")
  | ("fulcio" | "rekor-server" | "rekor-tiles" | "timestamp-server" | "trillian" | "createtree" | "ct-server");

/** Built from Go modules: a folder beside this file with go.mod and go.sum, which pin every byte. */
export interface GoRecipe {
  readonly kind: "go";
  readonly folder: string;
  /** What `go build` is asked for: one program, which is then called like the part. */
  readonly target: string;
  readonly ldflags: string;
  readonly version: string;
  /** Told while people wait. */
  readonly expect: string;
}

/** Taken out of a Debian package, which is never installed. */
export interface DebianRecipe {
  readonly kind: "debian";
  readonly package: string;
  /** Loosely pinned, since sid moves: "3.5.*". */
  readonly pin: string;
  /** Inside the package. */
  readonly binary: string;
}

export type Recipe = GoRecipe | DebianRecipe;

const kubernetes = "1.36.3";
const stamp = "k8s.io/component-base/version";

/** One module for all of them, so that they share what they are made of. */
const sigstore = (target: string, version: string, expect: string): GoRecipe => ({
  kind: "go",
  folder: "sigstore",
  target,
  ldflags: "-s -w",
  version,
  expect,
});

export const recipes: Readonly<Record<PartName, Recipe>> = {
  "oci-registry": { kind: "go", folder: "registry", target: ".", ldflags: "-s -w", version: "3adeb8663819", expect: "seconds" },
  "kube-apiserver": {
    kind: "go",
    folder: "kube",
    target: "tool",
    // Without these, /version answers "v0.0.0-master+$Format:%H$", which clients cannot read.
    ldflags: `-s -w -X ${stamp}.gitVersion=v${kubernetes} -X ${stamp}.gitMajor=1 -X ${stamp}.gitMinor=36 -X ${stamp}.gitTreeState=clean`,
    version: kubernetes,
    expect: "about 4 minutes on two cores, 3 GB of Go caches",
  },
  fulcio: sigstore("github.com/sigstore/fulcio", "1.8.8", "about a minute"),
  "rekor-server": sigstore("github.com/sigstore/rekor/cmd/rekor-server", "1.5.4", "about a minute"),
  "rekor-tiles": sigstore("github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix", "2.3.0", "seconds"),
  "timestamp-server": sigstore("./timestamp", "2.1.3", "seconds"),
  trillian: sigstore("./trillian", "1.8.0", "seconds"),
  createtree: sigstore("github.com/google/trillian/cmd/createtree", "1.8.0", "seconds"),
  // It does not compile against the Trillian that the others take.
  "ct-server": {
    kind: "go",
    folder: "ctlog",
    target: "github.com/google/certificate-transparency-go/trillian/ctfe/ct_server",
    ldflags: "-s -w",
    version: "1.4.0",
    expect: "about half a minute",
  },
  etcd: { kind: "debian", package: "etcd-server", pin: "3.5.*", binary: "usr/bin/etcd" },
  kubectl: { kind: "debian", package: "kubectl", pin: "1.36.*", binary: "usr/bin/kubectl" },
  "docker-registry": { kind: "debian", package: "docker-registry", pin: "2.8.*", binary: "usr/bin/docker-registry" },
  crane: { kind: "debian", package: "crane", pin: "0.20.*", binary: "usr/bin/crane" },
  oras: { kind: "debian", package: "oras", pin: "1.3.*", binary: "usr/bin/oras" },
  cosign: { kind: "debian", package: "cosign", pin: "3.1.*", binary: "usr/bin/cosign" },
  "rekor-cli": { kind: "debian", package: "rekor", pin: "1.5.*", binary: "usr/bin/rekor-cli" },
};

export const partNames: readonly PartName[] = Object.keys(recipes) as PartName[];

export const recipeFolder = (recipe: GoRecipe): string => `${import.meta.dirname}/${recipe.folder}`;

/** Names everything that decides the bytes of a part, but for the compiler: 16 hex digits. */
export function recipeKey(recipe: Recipe): string {
  const { expect: _, ...decisive } = { expect: "", ...recipe };
  const hash = createHash("sha256").update(JSON.stringify([decisive, platform(), arch()]));
  if (recipe.kind === "go") {
    const folder = recipeFolder(recipe);
    const own = recipe.target.startsWith("./") ? readdirSync(`${folder}/${recipe.target}`).map((file) => `${recipe.target}/${file}`) : [];
    const sources = [...readdirSync(folder), ...own].filter((file) => /^go\.(mod|sum)$|\.go$/.test(file));
    for (const file of sources.sort()) hash.update(`\0${file}\0`).update(readFileSync(`${folder}/${file}`));
  }
  return hash.digest("hex").slice(0, 16);
}
