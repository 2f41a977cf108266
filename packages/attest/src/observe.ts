import type { Stage } from "@countersign/core";

/** Sees every call of a plug-in: metrics and traces hang here. It must return what `work` returns and throw what it throws. */
export type Observer = <T>(stage: Stage, plugin: string, work: () => Promise<T>) => Promise<T>;

export const unobserved: Observer = (_stage, _plugin, work) => work();
