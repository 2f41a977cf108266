import type { CatalogHost } from "@countersign/catalog";
import { planFromConfig } from "@countersign/catalog";
import { type ChainsConfig, parseConfig } from "@countersign/config";
import type { Plan } from "@countersign/core";
import type { ConfigMapData } from "@countersign/kube";
import type { Run } from "@countersign/tekton";

/** The configuration in force and the plan made of it, swapped as one. */
export interface InForce {
  readonly config: ChainsConfig;
  readonly plan: Plan<Run>;
}

export interface LivePlan {
  /** Undefined until the first good configuration. */
  current(): InForce | undefined;
  /** A new ConfigMap. A bad one is reported and what was in force stays. */
  changed(data: ConfigMapData): void;
}

export interface LivePlanListener {
  inForce(now: InForce, warnings: readonly string[]): void;
  rejected(error: unknown): void;
}

export function livePlan(host: CatalogHost, listener: LivePlanListener): LivePlan {
  let now: InForce | undefined;
  let waiting: ConfigMapData | undefined;
  const take = (): void => {
    const data = waiting;
    waiting = undefined;
    if (!data) return;
    try {
      const { config, warnings } = parseConfig(data);
      now = { config, plan: planFromConfig(config, host) };
      listener.inForce(
        now,
        warnings.map(({ sentence }) => sentence),
      );
    } catch (error) {
      listener.rejected(error);
    }
  };
  return {
    current: () => now,
    changed(data) {
      // Four patches in a row are one rebuild: what arrives in the same turn of the event loop is taken together.
      waiting = data;
      setImmediate(take);
    },
  };
}
