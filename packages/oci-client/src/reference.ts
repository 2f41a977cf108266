/** A repository in a registry: what credentials and tokens are about. */
export interface Repository {
  /** Host with an optional port, "index.docker.io" for Docker Hub. */
  readonly registry: string;
  readonly repository: string;
}

/** At least one of tag and digest. */
export interface Reference extends Repository {
  readonly tag?: string;
  /** "sha256:<64 hex digits>". */
  readonly digest?: string;
}

export const dockerHub = "index.docker.io";

const host = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
const path = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Names come from users: a host name, a repository, a tag and a digest together are shorter. */
const maxLength = 1_024;

export const isDigest = (text: string): boolean => digestForm.test(text);

/**
 * Docker-style names, with the defaults that Docker and Tekton Chains use: no registry is Docker Hub, one word there is "library/<word>".
 * Undefined for anything else: schemes, upper case, other digest algorithms.
 */
export function parseReference(text: string): Reference | undefined {
  if (text.length > maxLength) return undefined;
  const [name = "", digest, ...rest] = text.split("@");
  if (rest.length > 0 || (digest !== undefined && !isDigest(digest))) return undefined;
  const [, base = name, tag] = /^(.*):([^/:]+)$/.exec(name) ?? [];
  if (tag !== undefined && !tagForm.test(tag)) return undefined;
  const repository = parseRepository(base);
  return repository && { ...repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** A repository alone, "registry.example:5000/team/app". */
export function parseRepository(text: string): Repository | undefined {
  if (text.length > maxLength) return undefined;
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const named = slash > 0 && (/[.:]/.test(first) || first === "localhost");
  const registry = !named || first === "docker.io" ? dockerHub : first;
  const rest = named ? text.slice(slash + 1) : text;
  const repository = registry === dockerHub && !rest.includes("/") ? `library/${rest}` : rest;
  if (!host.test(registry) || !path.test(repository) || rest.length < 2 || repository.length > 255) return undefined;
  return { registry, repository };
}

/** "registry.example/team/app:tag" or "…@sha256:…": for sentences and URIs. */
export const textOf = ({ registry, repository, tag, digest }: Reference): string =>
  `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
