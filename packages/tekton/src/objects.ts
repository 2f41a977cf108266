import type { RawJson } from "./go/json.ts";
import type { GoTime } from "./go/time.ts";
import type { ParamValue } from "./param-value.ts";

// The fields that decide payloads, as decode() leaves them: absent instead of null, never of a wrong type. The decoded objects hold all
// other fields of the Tekton API as well (go/struct-table.json); normalise() writes them.

export type StringMap = ReadonlyMap<string, string>;

export interface TaskRunObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly spec?: {
    readonly params?: readonly Param[];
    readonly serviceAccountName?: string;
    readonly taskRef?: { readonly name?: string; readonly resolver?: string };
    readonly managedBy?: string;
  };
  readonly status?: TaskRunStatus;
}

export interface TaskRunStatus extends RunStatus {
  readonly results?: readonly Result[];
  readonly steps?: readonly StepState[];
  readonly sidecars?: readonly { readonly name?: string; readonly imageID?: string }[];
  readonly taskSpec?: {
    readonly params?: readonly ParamSpec[];
    readonly steps?: readonly Step[];
    readonly results?: readonly { readonly name?: string }[];
  };
}

export interface PipelineRunObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly spec?: {
    readonly params?: readonly Param[];
    readonly pipelineRef?: { readonly name?: string; readonly resolver?: string };
    readonly taskRunTemplate?: { readonly serviceAccountName?: string };
    readonly managedBy?: string;
  };
  readonly status?: PipelineRunStatus;
}

export interface PipelineRunStatus extends RunStatus {
  readonly results?: readonly Result[];
  readonly childReferences?: readonly ChildReference[];
  readonly pipelineSpec?: {
    readonly params?: readonly ParamSpec[];
    readonly results?: readonly { readonly name?: string }[];
    readonly tasks?: readonly PipelineTask[];
    readonly finally?: readonly PipelineTask[];
  };
}

export interface ObjectMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly deletionTimestamp?: GoTime;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly finalizers?: readonly string[];
}

export interface RunStatus {
  readonly conditions?: readonly { readonly type?: string; readonly status?: string; readonly reason?: string }[];
  readonly startTime?: GoTime;
  readonly completionTime?: GoTime;
  readonly provenance?: Provenance;
}

export interface Provenance {
  readonly refSource?: RefSource;
  readonly featureFlags?: object;
}

export interface RefSource {
  readonly uri?: string;
  readonly digest?: StringMap;
  readonly entryPoint?: string;
}

export interface StepState {
  readonly name?: string;
  readonly imageID?: string;
  readonly results?: readonly Result[];
  readonly provenance?: Provenance;
}

export interface Step extends ContainerLike {
  readonly script?: string;
}

/** What steps and sidecars have in common and references to results can hide in. */
export interface ContainerLike {
  readonly name?: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly script?: string;
  readonly workingDir?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
}

export interface EnvVar {
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly key?: string; readonly name?: string };
    readonly configMapKeyRef?: { readonly key?: string; readonly name?: string };
  };
}

export interface Result {
  readonly name?: string;
  readonly type?: string;
  readonly value?: ParamValue;
}

export interface Param {
  readonly name?: string;
  readonly value?: ParamValue;
}

export interface ParamSpec {
  readonly name?: string;
  readonly default?: ParamValue;
}

export interface ChildReference {
  readonly kind?: string;
  readonly name?: string;
  readonly pipelineTaskName?: string;
}

export interface PipelineTask {
  readonly name?: string;
  readonly taskRef?: object;
  readonly runAfter?: readonly string[];
  readonly params?: readonly Param[];
  readonly matrix?: { readonly params?: readonly Param[]; readonly include?: readonly { readonly params?: readonly Param[] }[] };
  readonly when?: readonly { readonly input?: string; readonly cel?: string; readonly values?: readonly string[] }[];
  readonly taskSpec?: {
    readonly steps?: readonly ContainerLike[];
    readonly sidecars?: readonly ContainerLike[];
    readonly spec?: RawJson;
  };
}
