import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HttpOptions } from "@countersign/http";

/** Where the API server is and how to be let in. */
export interface KubeCredentials {
  /** Base URL, without a trailing slash. */
  readonly server: string;
  /** The namespace that kubeconfig or pod name as their own. */
  readonly namespace: string;
  /** TLS settings; asked again when the server answers 401, so that exec plug-ins and rotated certificates come through. */
  tls(): Promise<Pick<HttpOptions, "ca" | "clientCertificate" | "insecure">>;
  /** Headers for the next request, usually Authorization. Cheap: it is asked for each request. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

const podFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet replaces the token file well before it expires; reading it once a minute is what client-go does. */
const tokenReadMs = 60_000;

export const isInCluster = (env: NodeJS.ProcessEnv = process.env): boolean => Boolean(env["KUBERNETES_SERVICE_HOST"]);

export interface PodCredentialsOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly now?: () => number;
}

/** A pod's own ServiceAccount (kubernetes.io: Accessing the API from within a Pod). */
export async function podCredentials(options: PodCredentialsOptions = {}): Promise<KubeCredentials> {
  const { env = process.env, folder = podFolder, now = Date.now } = options;
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (!host) throw new TypeError("KUBERNETES_SERVICE_HOST is not set: this process does not run in a pod; name a kubeconfig instead");
  const namespace = (await readFile(join(folder, "namespace"), "utf8").catch(() => "default")).trim();
  let token = "";
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${env["KUBERNETES_SERVICE_PORT"] ?? "443"}`,
    namespace,
    tls: async () => ({ ca: await readFile(join(folder, "ca.crt"), "utf8") }),
    async headers() {
      if (now() - readAt >= tokenReadMs) {
        token = (await readFile(join(folder, "token"), "utf8")).trim();
        readAt = now();
      }
      return { authorization: `Bearer ${token}` };
    },
  };
}

export interface KubeconfigOptions {
  /** Path; default is what kubectl would take: KUBECONFIG, then ~/.kube/config. */
  readonly file?: string | undefined;
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly server?: string | undefined;
}

/** Kubeconfig with its tokens, client certificates, exec and OIDC plug-ins: all of that is @kubernetes/client-node's, loaded only here. */
export async function kubeconfigCredentials({ file, context, cluster, server }: KubeconfigOptions = {}): Promise<KubeCredentials> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (file) config.loadFromFile(file);
  else config.loadFromDefault();
  if (context) config.setCurrentContext(context);
  const current = config.getContextObject(config.getCurrentContext());
  const named = cluster ? config.getCluster(cluster) : config.getCurrentCluster();
  const url = server ?? named?.server;
  if (!url)
    throw new TypeError(`${file ?? "the kubeconfig"} names no cluster for its current context; choose one with --cluster or --server`);
  // The library refuses plain HTTP (a kubectl proxy, a sandbox) unless TLS is not to be verified; there is none to verify.
  if (url.startsWith("http:")) config.clusters = config.clusters.map((one) => ({ ...one, skipTLSVerify: true }));
  const asked = async (): Promise<HttpsOptions> => {
    const options: HttpsOptions = {};
    await config.applyToHTTPSOptions(options as never).catch((cause: Error) => {
      const [line = ""] = cause.message.split("\n");
      throw new TypeError(`the credentials of ${file ?? "the kubeconfig"} cannot be had: ${line.slice(0, 200)}`, { cause });
    });
    return options;
  };
  const refreshMs = 30_000;
  let known: Promise<HttpsOptions> | undefined;
  let knownAt = 0;
  const fresh = (): Promise<HttpsOptions> => {
    if (!known || Date.now() - knownAt >= refreshMs) [known, knownAt] = [asked(), Date.now()];
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
  return {
    server: url.replace(/\/+$/, ""),
    namespace: current?.namespace ?? "default",
    async tls() {
      known = undefined;
      const { ca, cert, key, rejectUnauthorized } = await fresh();
      return {
        ...(ca && { ca: String(ca) }),
        ...(cert && key && { clientCertificate: { cert: String(cert), key: String(key) } }),
        ...(rejectUnauthorized === false && { insecure: true }),
      };
    },
    headers: async () => authorizationOf(await fresh()),
  };
}

interface HttpsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  auth?: string;
  headers?: Readonly<Record<string, string>>;
  rejectUnauthorized?: boolean;
}

function authorizationOf({ headers = {}, auth }: HttpsOptions): Readonly<Record<string, string>> {
  const given = headers["Authorization"] ?? headers["authorization"];
  const value = given ?? (auth ? `Basic ${Buffer.from(auth).toString("base64")}` : undefined);
  return value ? { authorization: value } : {};
}
