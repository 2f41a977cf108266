import { writeFileSync } from "node:fs";

export interface KubeconfigOptions {
  readonly url: string;
  /** PEM. */
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
  readonly namespace?: string | undefined;
}

/** A kubeconfig is YAML, and JSON is YAML. */
export function writeKubeconfig(path: string, options: KubeconfigOptions): string {
  const { url, ca, token, namespace } = options;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "test", cluster: { server: url, ...(ca ? { "certificate-authority-data": Buffer.from(ca).toString("base64") } : {}) } },
    ],
    users: [{ name: "test", user: token ? { token } : {} }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", ...(namespace ? { namespace } : {}) } }],
    "current-context": "test",
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}
