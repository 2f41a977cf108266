import { type CatalogHost, unsupportedIn } from "@countersign/catalog";
import type { ChainsConfig } from "@countersign/config";
import {
  clusterEvents,
  clusterRuns,
  isInCluster,
  type KubeConnection,
  type KubeCredentials,
  kubeConnection,
  kubeconfigCredentials,
  podCredentials,
  registrySecrets,
  watchConfigMap,
} from "@countersign/kube";
import { projectedTokenFile } from "@countersign/signers-keyless";
import { directoryKeys } from "@countersign/signers-x509";
import { type Controller, controller } from "./controller.ts";
import { follow, versionOf } from "./follow.ts";
import { endOnBug, stopOnSignal } from "./last-words.ts";
import { livePlan } from "./live-plan.ts";
import { type Logger, watcherLog } from "./log.ts";
import { speakTo } from "./narrate.ts";
import { podHost } from "./pod-host.ts";
import { unreadyBecause } from "./readiness.ts";
import { sentenceOf } from "./sentence.ts";
import { serveMetrics, serveProbes } from "./servers.ts";
import { parseSettings, type Settings, usage } from "./settings.ts";
import { introduceSigner } from "./signing-key.ts";
import { type Telemetry, telemetry } from "./telemetry.ts";

/** The controller's process: flags in, exit code out. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const parsed = parseSettings(args, env);
  if (parsed.kind === "help") {
    process.stdout.write(usage());
    return 0;
  }
  if (parsed.kind === "usage") {
    process.stderr.write(`${parsed.problem}\nRun countersign-controller --help for the flags.\n`);
    return 2;
  }
  const log = watcherLog(parsed.settings.logLevel, env);
  if (parsed.ignored.length > 0) log.warn({ flags: parsed.ignored }, "flags accepted for compatibility, without effect");
  endOnBug(log);
  const stop = stopOnSignal(log);
  try {
    await serve(parsed.settings, env, log, stop);
    log.info("stopped");
    return 0;
  } catch (error) {
    log.error({ reason: sentenceOf(error) }, "could not start");
    return 1;
  }
}

async function serve(settings: Settings, env: NodeJS.ProcessEnv, log: Logger, signal: AbortSignal): Promise<void> {
  const connection = await kubeConnection(await credentialsFor(settings, env));
  const namespace = settings.systemNamespace || connection.namespace;
  const keys = directoryKeys(settings.signingSecrets);
  const secrets = registrySecrets({ connection });
  const imagePullSecrets = registrySecrets({ connection, list: "imagePullSecrets" });
  const host = podHost({
    ...{ keys, secrets, imagePullSecrets, env, connections: settings.visitsAtOnce, caFile: settings.caBundle || undefined },
    recovered: () => parts.loop.recovered(),
  });
  const parts = assemble(settings, connection, host, log, namespace);
  const { loop, plan, metrics } = parts;
  const troubled = (what: string) => (error: unknown) => log.warn({ reason: sentenceOf(error) }, what);
  const servers = [
    ...(settings.metricsPort ? [serveMetrics(settings.metricsPort, metrics.registry, troubled("no metrics are served"))] : []),
    ...(settings.probePort
      ? [serveProbes(settings.probePort, { unready: parts.unready, stopping: () => signal.aborted }, troubled("no probes are answered"))]
      : []),
  ];
  log.info({ server: connection.server, namespace, namespaces: settings.namespaces }, "started");
  const config = { connection, namespace, name: "chains-config" };
  const listener = { changed: plan.changed, absent: parts.noConfig, trouble: troubled("the watch on chains-config is interrupted") };
  const newKey = (): void => {
    log.info({ held: loop.held }, "the signing key changed; what is on hold is tried again");
    loop.wake();
    void parts.introduce();
  };
  // A token or a trust root is renewed every few minutes, and a clock is set without a trace: only those on hold care.
  const again = (): void => {
    if (loop.held > 0) loop.wake();
  };
  const now = async (): Promise<string> => `${Math.floor(performance.now() / holdLooksAgainMs)}`;
  try {
    await Promise.all([
      loop.run({ signal }),
      watchConfigMap(config, listener, { signal }),
      follow(async () => (await keys.current()).version, newKey, { signal }),
      follow(() => versionOf(filesIn(plan.current()?.config)), again, { signal }),
      follow(now, again, { signal }, holdLooksAgainMs),
    ]);
  } finally {
    for (const server of servers) server.close();
    await host.close();
    await connection.close();
  }
}

interface Parts {
  readonly loop: Controller;
  readonly plan: ReturnType<typeof livePlan>;
  readonly metrics: Telemetry;
  readonly unready: () => string | undefined;
  /** Tells who signs now. */
  readonly introduce: () => Promise<void>;
  /** The ConfigMap was looked for, and there is none. */
  readonly noConfig: () => void;
}

const holdLooksAgainMs = 300_000;

/** Whose change may end a hold. */
function filesIn(config: ChainsConfig | undefined): readonly string[] {
  if (!config) return [];
  const { fulcio, identityTokenFile } = config.signers.x509;
  const token = fulcio.enabled ? [identityTokenFile || projectedTokenFile] : [];
  return [...token, ...(config.trust.rootFile ? [config.trust.rootFile] : [])];
}

const beforeConfig = { finalizer: { deadlineMs: 300_000 }, retries: { transientDeadlineMs: undefined } };

function assemble(settings: Settings, connection: KubeConnection, host: CatalogHost, log: Logger, namespace: string): Parts {
  const introduce = async (): Promise<void> => {
    const config = plan.current()?.config;
    if (config) await introduceSigner(config, host.keys, log);
  };
  let rejected: string | undefined = "chains-config was not seen yet";
  const plan = livePlan(host, {
    inForce({ config }, warnings) {
      rejected = undefined;
      metrics.configIs(true);
      log.info({ unsupported: unsupportedIn(config), warnings }, "configuration in force");
      loop.wake();
      void introduce();
    },
    rejected(error) {
      rejected = sentenceOf(error);
      metrics.configIs(false);
      log.error({ reason: rejected }, "chains-config is rejected; what was in force stays");
    },
  });
  const loop: Controller = controller({
    connection,
    runs: clusterRuns(connection),
    events: clusterEvents({ connection }),
    inForce: plan.current,
    namespaces: settings.namespaces,
    visitsAtOnce: settings.visitsAtOnce,
    watchIdleMs: settings.watchIdleMs,
    graceMs: settings.graceMs,
    settings: () => {
      const { finalizer, retries } = plan.current()?.config ?? beforeConfig;
      return {
        keepFinalizer: settings.keepFinalizer,
        finalizerDeadlineMs: finalizer.deadlineMs,
        transientDeadlineMs: retries.transientDeadlineMs,
      };
    },
    telemetry: () => metrics,
    speak: speakTo(log),
  });
  const metrics = telemetry({ waiting: () => loop.waiting, held: () => loop.held }, Date.now);
  return {
    ...{ loop, plan, metrics, introduce },
    unready: () => unreadyBecause({ config: rejected, synced: loop.synced, held: loop.held }),
    noConfig() {
      if (plan.current()) return;
      rejected = `there is no ConfigMap ${namespace}/chains-config: apply the release's manifests, or make an empty one`;
      log.warn({ reason: rejected }, "waiting for chains-config");
    },
  };
}

/** In a pod its own ServiceAccount, unless a kubeconfig or a server is named. */
function credentialsFor({ kubeconfig, cluster, server }: Settings, env: NodeJS.ProcessEnv): Promise<KubeCredentials> {
  if (!kubeconfig && !server && isInCluster(env)) return podCredentials({ env });
  return kubeconfigCredentials({ file: kubeconfig || undefined, cluster: cluster || undefined, server: server || undefined });
}
