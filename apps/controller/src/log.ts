import { type DestinationStream, type Logger, pino } from "pino";

/**
 * Lines in the shape of Tekton Chains: level as a word, ts in ISO form, logger "watcher". Written at once and not by and by, so that
 * no line is lost however the process ends.
 */
export function watcherLog(
  level: string,
  env: NodeJS.ProcessEnv = process.env,
  to: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger {
  const pod = env["POD_NAME"] ?? env["HOSTNAME"];
  return pino(
    {
      level,
      base: { logger: "watcher", ...(pod && { "knative.dev/pod": pod }) },
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "msg",
    },
    to,
  );
}

export type { Logger };
