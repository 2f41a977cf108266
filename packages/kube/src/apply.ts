import { type Annotations, type Call, CountersignError, type RunRef } from "@countersign/core";
import type { KubeConnection } from "./connection.ts";
import { KubeError } from "./kube-error.ts";

/** The field managers of Tekton Chains: with the same names either controller can take over what the other wrote. */
export const annotationManager = "tekton-chains-controller";
export const finalizerManager = "tekton-chains-controller/finalizers";

/** "chains.tekton.dev" is what old releases of Tekton Chains left on TaskRuns. */
export const ourFinalizers: readonly string[] = ["chains.tekton.dev/taskrun", "chains.tekton.dev/pipelinerun", "chains.tekton.dev"];

const plural = { TaskRun: "taskruns", PipelineRun: "pipelineruns" } as const;

export const resourceOf = (kind: RunRef["kind"]): string => plural[kind];
export const pathOf = ({ kind, namespace, name }: Omit<RunRef, "uid">): string =>
  `/apis/tekton.dev/v1/namespaces/${encodeURIComponent(namespace)}/${plural[kind]}/${encodeURIComponent(name)}`;

/**
 * One server-side apply of annotations: an apply drops what it does not name, so `annotations` must be all that we own.
 * A conflict over a field is forced, as upstream does; another uid under this name is never forced.
 *
 * @returns the answer's text, the run as it stands now
 * @throws CountersignError "mark.gone" (never) when the run is another one now, or none
 */
export async function applyAnnotations(connection: KubeConnection, ref: RunRef, annotations: Annotations, call: Call): Promise<string> {
  const metadata = { annotations: sorted(annotations) };
  try {
    return await apply(connection, ref, metadata, annotationManager, false, call);
  } catch (error) {
    if (!isFieldConflict(error)) throw await goneOr(error, connection, ref, call);
  }
  return apply(connection, ref, metadata, annotationManager, true, call).catch(async (error) => {
    throw await goneOr(error, connection, ref, call);
  });
}

/** Our finalizer on, or (with none) off. Never forced. @throws CountersignError "mark.gone" as above */
export async function applyFinalizers(connection: KubeConnection, ref: RunRef, finalizers: readonly string[], call: Call): Promise<string> {
  try {
    const answer = await apply(connection, ref, { finalizers }, finalizerManager, false, call);
    return finalizers.length > 0 ? answer : await releasedAll(connection, ref, answer, call);
  } catch (error) {
    throw await goneOr(error, connection, ref, call);
  }
}

/** An apply takes off only what an apply of the same manager put on; older releases wrote theirs with a merge patch. */
async function releasedAll(connection: KubeConnection, ref: RunRef, answer: string, { signal }: Call): Promise<string> {
  const { finalizers = [], resourceVersion } =
    (JSON.parse(answer) as { metadata?: { finalizers?: string[]; resourceVersion?: string } }).metadata ?? {};
  const others = finalizers.filter((one) => !ourFinalizers.includes(one));
  if (others.length === finalizers.length) return answer;
  const body = { metadata: { resourceVersion, finalizers: others } };
  const contentType = "application/merge-patch+json";
  return connection.request({ verb: "patch", resource: plural[ref.kind], path: pathOf(ref), contentType, body, signal });
}

/** The uid in the body turns "somebody recreated it" and "it vanished" into a conflict instead of a new, empty run. */
function apply(
  connection: KubeConnection,
  ref: RunRef,
  more: object,
  fieldManager: string,
  force: boolean,
  { signal }: Call,
): Promise<string> {
  const { kind, namespace, name, uid } = ref;
  return connection.request({
    verb: "patch",
    resource: plural[kind],
    path: pathOf(ref),
    query: { fieldManager, force },
    contentType: "application/apply-patch+yaml",
    body: { apiVersion: "tekton.dev/v1", kind, metadata: { name, namespace, uid, ...more } },
    signal,
  });
}

const isFieldConflict = (error: unknown): boolean =>
  error instanceof KubeError && error.code === 409 && error.status.causes.some(({ reason }) => reason === "FieldManagerConflict");

/** 422: the uid is another one's. 409 without a field conflict: nobody has it. 403: creating it anew is not ours to do. 404 says it itself. */
async function goneOr(error: unknown, connection: KubeConnection, ref: RunRef, { signal }: Call): Promise<unknown> {
  if (!(error instanceof KubeError) || ![403, 404, 409, 422].includes(error.code)) return error;
  const uid = await connection
    .request({ verb: "get", resource: plural[ref.kind], path: pathOf(ref), signal })
    .then((text) => (JSON.parse(text) as { metadata?: { uid?: string } }).metadata?.uid)
    .catch((other) => (other instanceof KubeError && other.code === 404 ? undefined : Promise.reject(other)));
  if (uid === ref.uid) return error;
  const what = uid ? "another run has its name now" : "it was deleted";
  return new CountersignError("mark.gone", `${ref.kind} ${ref.namespace}/${ref.name} is gone: ${what}`, { retry: "never", cause: error });
}

const sorted = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));
