/** "TaskRun ci/build"; a run out of a file may have no namespace. */
export const runName = ({ kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string }): string =>
  `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
