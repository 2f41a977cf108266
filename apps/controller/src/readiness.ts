/** What stands between the process and its work; each fact as it is known just now. */
export interface Readiness {
  /** Why there is no plan, or none made of the newest configuration; undefined: all is well. */
  readonly config: string | undefined;
  readonly synced: boolean;
  readonly held: number;
}

/** One sentence for whoever looks at the pod; undefined: ready. */
export function unreadyBecause({ config, synced, held }: Readiness): string | undefined {
  if (config) return config;
  if (!synced) return "runs are being listed";
  return held > 0 ? `${held} runs are on hold until key or configuration change; the log and their Events say why` : undefined;
}
