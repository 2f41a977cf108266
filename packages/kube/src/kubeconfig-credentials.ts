import type { KubeConfig } from "@kubernetes/client-node";
import { CredentialsError, type KubeCredentials } from "./credentials.ts";

export interface KubeconfigOptions {
  /** Path; default is what kubectl would take: KUBECONFIG, then ~/.kube/config. */
  readonly file?: string | undefined;
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly server?: string | undefined;
}

/** Tokens of plug-ins are asked for again so often; the plug-in's own expiry decides whether it runs. */
const refreshMs = 30_000;

/**
 * Kubeconfig with its tokens, client certificates, exec and OIDC plug-ins: all of that is @kubernetes/client-node's, loaded only here.
 *
 * @throws CredentialsError
 */
export async function kubeconfigCredentials(options: KubeconfigOptions = {}): Promise<KubeCredentials> {
  const name = options.file ?? "the kubeconfig";
  let config = await load(options);
  const url = options.server ?? config.getCurrentCluster()?.server;
  if (!url) throw new CredentialsError(`${name} names no cluster for its current context; choose one with --cluster or --server`);

  let known: Promise<HttpsOptions> | undefined;
  let knownAt = 0;
  const fresh = (): Promise<HttpsOptions> => {
    if (known && Date.now() - knownAt < refreshMs) return known;
    const asked = credentialsOf(config, name);
    [known, knownAt] = [asked, Date.now()];
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  };
  return {
    server: url.replace(/\/+$/, ""),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    async tls() {
      // Read anew: the file may have been rotated, and the library keeps a plug-in's token for as long as it keeps the file.
      config = await load(options).catch(() => config);
      known = undefined;
      const { ca, cert, key, rejectUnauthorized } = await fresh();
      return {
        ...(ca && { ca: String(ca) }),
        ...(cert && key && { clientCertificate: { cert: String(cert), key: String(key) } }),
        ...(rejectUnauthorized === false && { insecure: true }),
      };
    },
    headers: async () => headersOf(await fresh()),
  };
}

async function load({ file, context, cluster, server }: KubeconfigOptions): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (file) config.loadFromFile(file);
    else config.loadFromDefault();
  } catch (cause) {
    // The parser's own message repeats the lines around the mistake, and those hold tokens.
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "is not there" : `cannot be read${code ? ` (${code})` : ": it is no valid kubeconfig"}`;
    throw new CredentialsError(`${file ?? "the kubeconfig"} ${why}; check it with kubectl config view`, cause);
  }
  if (context) config.setCurrentContext(context);
  const current = config.getContextObject(config.getCurrentContext());
  if (current && cluster) config.contexts = config.contexts.map((one) => (one.name === current.name ? { ...one, cluster } : one));
  const url = server ?? config.getCurrentCluster()?.server ?? "";
  // The library refuses plain HTTP (a kubectl proxy, a sandbox) unless TLS is not to be verified; there is none to verify.
  const plain = url.startsWith("http:") ? { skipTLSVerify: true } : {};
  config.clusters = config.clusters.map((one) => (one.name === current?.cluster || cluster ? { ...one, ...plain } : one));
  return config;
}

async function credentialsOf(config: KubeConfig, name: string): Promise<HttpsOptions> {
  const options: HttpsOptions = {};
  try {
    await config.applyToHTTPSOptions(options as never);
    return options;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const { exec } = config.getCurrentUser() ?? {};
    // What a plug-in printed, and what could not be parsed of it, may hold its token.
    const what = exec
      ? `its plug-in ${String((exec as { command?: unknown }).command)} failed; run it by hand`
      : "a file it names cannot be read";
    throw new CredentialsError(`the credentials of ${name} cannot be had${code ? ` (${code})` : ""}: ${what}`, cause);
  }
}

interface HttpsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  auth?: string;
  headers?: Readonly<Record<string, string>>;
  rejectUnauthorized?: boolean;
}

/** Authorization, and whom the kubeconfig wants to be taken for: left out, we would act with more rights than we were given. */
function headersOf({ headers = {}, auth }: HttpsOptions): Readonly<Record<string, string>> {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...(auth && { authorization: `Basic ${Buffer.from(auth).toString("base64")}` }), ...given };
}
