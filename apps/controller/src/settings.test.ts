import { expect, test } from "vitest";
import { parseSettings, usage } from "./settings.ts";

const settings = (args: string[], env: NodeJS.ProcessEnv = {}) => {
  const parsed = parseSettings(args, env);
  if (parsed.kind !== "settings") throw new Error(JSON.stringify(parsed));
  return parsed;
};

test.each([["-namespace=a, b"], ["--namespace=a, b"], ["-namespace", "a, b"], ["--namespace", "a, b"]])(
  "Go's spellings: %s %s",
  (...args) => {
    expect(settings(args).settings.namespaces).toEqual(["a", "b"]);
  },
);

test("defaults, environment, flag over environment", () => {
  expect(settings([]).settings).toMatchObject({
    signingSecrets: "/etc/signing-secrets",
    metricsPort: 9090,
    probePort: 8080,
    keepFinalizer: false,
    watchIdleMs: 100_000,
    graceMs: 8_000,
    visitsAtOnce: 16,
    namespaces: [],
  });
  const env = { SYSTEM_NAMESPACE: "chains", KUBECONFIG: "/from/env", METRICS_PROMETHEUS_PORT: "9191" };
  expect(settings(["--kubeconfig", "/from/flag"], env).settings).toMatchObject({
    systemNamespace: "chains",
    kubeconfig: "/from/flag",
    metricsPort: 9191,
  });
});

test("the last of a flag counts", () => {
  expect(settings(["--metrics-port=1", "-metrics-port", "2", "--metrics-port=3"]).settings.metricsPort).toBe(3);
});

test("switches need no value and take one", () => {
  expect(settings(["--keep-finalizer"]).settings.keepFinalizer).toBe(true);
  expect(settings(["-keep-finalizer=false"]).settings.keepFinalizer).toBe(false);
});

test("what Tekton Chains takes is taken", () => {
  const { ignored } = settings(["-kube-api-qps", "50", "--kube-api-burst=50", "-v=4", "--disable-ha", "-logtostderr"]);
  expect(ignored).toEqual(["kube-api-qps", "kube-api-burst", "v", "disable-ha", "logtostderr"]);
});

test.each([
  [["--nonsense"], /not defined: --nonsense/],
  [["stray"], /not defined: stray/],
  [["--namespace"], /needs an argument/],
  [["--threads-per-controller", "many"], /threads/],
  [["--log-level=loud"], /log/i],
])("%j is refused", (args, why) => {
  const parsed = parseSettings(args, {});
  expect(parsed.kind === "usage" && parsed.problem).toMatch(why);
});

test("help names every flag of ours", () => {
  expect(parseSettings(["-h"], {}).kind).toBe("help");
  expect(usage()).toContain("--signing-secrets");
});
