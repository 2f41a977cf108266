export type Annotations = Readonly<Record<string, string>>;

/** Which run, exactly: a run recreated under the same name has another uid. */
export interface RunRef {
  readonly kind: "TaskRun" | "PipelineRun";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What every stage may know of a run. The Run of @countersign/tekton has more; only formatters and plans see that. */
export interface AnyRun {
  readonly ref: RunRef;
  readonly annotations: Annotations;
}
