import { existsSync, readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { ApiServer } from "./api-server.ts";

/** Tekton's own CRDs, as data beside this repository; they are not part of it. */
const recorded = `${import.meta.dirname}/../../../../shared/golden/tekton-crds`;

/** Which CRDs the tests run on: "tekton" (real schemas) or "minimal" (ours: same names and subresources, no schema). */
export async function applyTektonCrds(api: ApiServer): Promise<"tekton" | "minimal"> {
  const real = existsSync(recorded);
  if (!real) console.warn("TEKTON'S OWN CRDS ARE NOT HERE: these tests run on minimal ones, without pruning, defaults or validation.");
  const crds = real ? tektonCrds() : minimalCrds();
  await api.kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: crds }) });
  await api.kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...crds.map((crd) => `crd/${crd.metadata.name}`)]);
  return real ? "tekton" : "minimal";
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

function tektonCrds(): readonly Crd[] {
  const files = readdirSync(recorded).filter((file) => file.endsWith(".yaml"));
  return files.map((file) => {
    const crd = parse(readFileSync(`${recorded}/${file}`, "utf8")) as Crd;
    // There is no Tekton webhook to convert anything here.
    return { ...crd, spec: { ...crd.spec, conversion: { strategy: "None" } } };
  });
}

function minimalCrds(): readonly Crd[] {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  // A map with a known property is owned by its leaves, as with the real schemas; one without is owned itself, too.
  const spec = { ...open, properties: { taskRef: { ...open, properties: { name: { type: "string" } } } } };
  const status = { ...open, properties: { podName: { type: "string" } } };
  const schema = { openAPIV3Schema: { ...open, properties: { spec, status } } };
  const version = { name: "v1", served: true, storage: true, subresources: { status: {} }, schema };
  return [
    { kind: "TaskRun", plural: "taskruns", shortNames: ["tr", "trs"] },
    { kind: "PipelineRun", plural: "pipelineruns", shortNames: ["pr", "prs"] },
  ].map(({ kind, plural, shortNames }) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.tekton.dev` },
    spec: {
      group: "tekton.dev",
      scope: "Namespaced",
      names: { kind, plural, shortNames, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [version],
    },
  }));
}
