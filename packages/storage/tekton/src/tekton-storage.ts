import { foundInAnnotations, runAnnotations } from "@countersign/bundle";
import { type Annotations, type Attestation, CountersignError, type StorageBackend } from "@countersign/core";

/** What Kubernetes allows all annotations of one object together: keys and values, in bytes. */
export const maxAnnotationBytes = 262_144;

/**
 * On the run itself, as four `chains.tekton.dev/` annotations, and a fifth where logs or timestamp authorities said something. It writes nothing: what it answers is applied by the caller in one go with
 * everything else that the run is to carry.
 */
export function tektonStorage(): StorageBackend {
  return {
    name: "tekton",
    async store(attestation, { signal }) {
      signal.throwIfAborted();
      const annotations = runAnnotations(attestation);
      const bytes = annotationBytes(annotations);
      if (bytes > maxAnnotationBytes) throw tooLarge(attestation, bytes);
      const { run, shortKey } = attestation.artifact;
      return { uris: [`${run.kind}/${run.namespace}/${run.name}#${shortKey}`], annotations };
    },
    async find({ annotations, artifact, payload }, { signal }) {
      signal.throwIfAborted();
      return foundInAnnotations(annotations, artifact, payload);
    },
  };
}

/** As the API server counts them. */
export const annotationBytes = (annotations: Annotations): number =>
  Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

function tooLarge({ artifact: { run, fullKey }, payload }: Attestation, bytes: number): CountersignError {
  const sentence =
    `${run.kind} ${run.namespace}/${run.name}: the ${payload.format} attestation of ${fullKey} takes ${bytes} bytes of annotations, ` +
    `Kubernetes allows ${maxAnnotationBytes} for all; store it in a registry (storage "oci")`;
  return new CountersignError("store.annotations-too-large", sentence, { retry: "never" });
}
