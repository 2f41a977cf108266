import { type Logger, pino } from "pino";

/** Lines in the shape of Tekton Chains: level as a word, ts in ISO form, logger "watcher". */
export function watcherLog(level: string, env: NodeJS.ProcessEnv = process.env): Logger {
  const pod = env["POD_NAME"] ?? env["HOSTNAME"];
  return pino({
    level,
    base: { logger: "watcher", ...(pod && { "knative.dev/pod": pod }) },
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: "msg",
  });
}

export type { Logger };
