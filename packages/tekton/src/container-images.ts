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
  if (imageIdFault(imageId) !== undefined) return [];
  const [name = "", digest = ""] = imageId.split("@");
  const [algorithm = "", hex = ""] = digest.split(":");
  return [{ name: `oci://${withoutScheme(name)}`, digest: new Map([[algorithm, hex]]), origins: [origin] }];
}

/** Why an image id names no digest; undefined when it does. */
export function imageIdFault(imageId = ""): string | undefined {
  if (imageId === "") return "the container has no image id: it never started";
  const [, digest, ...moreAts] = imageId.split("@");
  if (digest === undefined) return `the image id "${imageId}" names no digest: the image was loaded into the node instead of pulled`;
  if (moreAts.length > 0) return `the image id "${imageId}" holds more than one @`;
  return digest.split(":").length === 2 ? undefined : `the digest of the image id "${imageId}" is not of the form algorithm:hex`;
}

/** As Docker used to report it. */
export const withoutScheme = (imageId: string): string => imageId.replace(/^docker-pullable:\/\//, "");
