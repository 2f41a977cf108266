import { existsSync, readFileSync } from "node:fs";

/** One request as the API server saw it. */
export interface AuditedRequest {
  readonly user: string;
  /** "get", "list", "watch", "create", "update", "patch", "delete". */
  readonly verb: string;
  readonly uri: string;
  readonly resource: string | undefined;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly userAgent: string | undefined;
  readonly code: number | undefined;
}

export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

interface Line {
  readonly auditID: string;
  readonly user?: { readonly username?: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** Every request once, in the order of its first line: a watch has one line when it starts and one when it ends. */
export function auditedRequests(file: string): readonly AuditedRequest[] {
  if (!existsSync(file)) return [];
  const requests = new Map<string, AuditedRequest>();
  for (const text of readFileSync(file, "utf8").split("\n")) {
    const line = parsed(text);
    if (!line) continue;
    const { resource, subresource, namespace, name } = line.objectRef ?? {};
    requests.set(line.auditID, {
      ...{ user: line.user?.username ?? "", verb: line.verb, uri: line.requestURI, resource, subresource, namespace, name },
      ...{ userAgent: line.userAgent, code: line.responseStatus?.code },
    });
  }
  return [...requests.values()];
}

/** The last line may still be in the making. */
function parsed(text: string): Line | undefined {
  try {
    return text === "" ? undefined : (JSON.parse(text) as Line);
  } catch {
    return undefined;
  }
}
