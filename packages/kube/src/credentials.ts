import type { HttpOptions } from "@countersign/http";

/** Where the API server is and how to be let in. */
export interface KubeCredentials {
  /** Base URL, without a trailing slash. */
  readonly server: string;
  /** The namespace that kubeconfig or pod name as their own. */
  readonly namespace: string;
  /** TLS settings; asked again when the server answers 401. From then on headers() are fresh too: tokens are read, plug-ins are run anew. */
  tls(): Promise<Pick<HttpOptions, "ca" | "clientCertificate" | "insecure">>;
  /** Headers for the next request, usually Authorization. Cheap: it is asked for each request. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** Credentials cannot be had. The sentence is ours and names files and programs, never what they hold or print. */
export class CredentialsError extends TypeError {
  /** Of Node, where there is one: "ENOENT". */
  readonly code: string | undefined;
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "CredentialsError";
    this.code = codeOf(cause);
  }
}

function codeOf(cause: unknown): string | undefined {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
