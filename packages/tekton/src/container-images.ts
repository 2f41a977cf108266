import type { Entry } from "./merged-list.ts";
import type { Origin } from "./origin.ts";
import type { TaskRun } from "./run.ts";

/** The images that the steps, then the sidecars ran in. Those whose id names no digest are left out: see imageIdFault. */
export function containerImageMaterials(run: TaskRun): readonly Entry[] {
  const { steps = [], sidecars = [] } = run.object.status ?? {};
  return [
    ...steps.flatMap(({ name, imageID }) => imageMaterial(imageID, { run: run.ref, from: "step image", names: [name ?? ""] })),
    ...sidecars.flatMap(({ name, imageID }) => imageMaterial(imageID, { run: run.ref, from: "sidecar image", names: [name ?? ""] })),
  ];
}

/**
 * "docker-pullable://name@alg:hex" → oci://name, {alg: hex}. Neither the name nor the digest is normalised or checked.
 * Anything of another shape (a step that never started, an image loaded into the node) makes the reference give up the whole payload;
 * we leave that one image out.
 */
function imageMaterial(imageId = "", origin: Origin): readonly Entry[] {
  const [name = "", digest, ...moreAts] = imageId.split("@");
  const [algorithm = "", hex, ...moreColons] = (digest ?? "").split(":");
  if (digest === undefined || hex === undefined || moreAts.length > 0 || moreColons.length > 0) return [];
  return [{ name: `oci://${withoutScheme(name)}`, digest: new Map([[algorithm, hex]]), origins: [origin] }];
}

/** As Docker used to report it. */
export const withoutScheme = (imageId: string): string => imageId.replace(/^docker-pullable:\/\//, "");
