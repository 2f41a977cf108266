/**
 * Writes go.mod and go.sum of this folder anew: `node test/parts/kube/regenerate.ts v1.36.3`. Both are committed.
 * k8s.io/kubernetes replaces its own libraries with ./staging folders, which its module zip does not contain, so each
 * replacement is turned into the published version of the same release (v1.36.3 is v0.36.3 there).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

const version = process.argv[2] ?? "v1.36.3";
const cwd = import.meta.dirname;
const env = { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off" };
const go = (...args: string[]): string => execFileSync("go", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

for (const file of ["go.mod", "go.sum"]) rmSync(`${cwd}/${file}`, { force: true });
go("mod", "init", "countersign.test/parts/kube");
const { GoMod } = JSON.parse(go("mod", "download", "-json", `k8s.io/kubernetes@${version}`)) as { GoMod: string };
const kubernetes = readFileSync(GoMod, "utf8");
const staged = [...kubernetes.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)].map((match) => match[1]);
go("mod", "edit", ...staged.map((module) => `-replace=${module}=${module}@${version.replace(/^v1/, "v0")}`));
go("get", "-tool", `k8s.io/kubernetes/cmd/kube-apiserver@${version}`);
go("mod", "tidy");
// Not the compiler of whoever runs this: the oldest one that Kubernetes takes.
const oldest = /^go (\S+)$/m.exec(kubernetes)?.[1];
if (oldest) go("mod", "edit", `-go=${oldest}`);
console.log(`${staged.length} libraries pinned to ${version.replace(/^v1/, "v0")}`);
