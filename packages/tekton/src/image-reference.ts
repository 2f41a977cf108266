import { isIPv6 } from "node:net";

export interface ImageReference {
  /** "<registry>/<repository>", without tag or digest. */
  readonly name: string;
  /** 64 hex digits of sha256. */
  readonly hex: string;
}

const defaultRegistry = "index.docker.io";

/** "base@digest" as go-containerregistry reads it with weak validation; a tag is dropped. A string says why it is no image. */
export function parseImageReference(text: string): ImageReference | string {
  const [base = "", digest, ...more] = text.split("@");
  if (digest === undefined) return "it has no digest (expected name@sha256:…)";
  if (more.length > 0) return "it holds more than one @: the name must not carry a digest of its own";
  if (!digest.startsWith("sha256:")) return 'the digest of an image must start with "sha256:"';
  const hex = digest.slice(7);
  if (!/^[a-f0-9]{64}$/.test(hex)) return "the digest is not sha256: and 64 hex digits in lower case";
  const name = repositoryName(base);
  return name.ok ? { name: name.text, hex } : name.fault;
}

type Named = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string };

function repositoryName(base: string): Named {
  const colon = base.lastIndexOf(":");
  const tag = base.slice(colon + 1);
  if (colon >= 0 && /^[A-Za-z0-9_.-]{1,128}$/.test(tag)) {
    const named = untaggedName(base.slice(0, colon));
    if (named.ok) return named;
  }
  return untaggedName(base);
}

function untaggedName(base: string): Named {
  const slash = base.indexOf("/");
  const first = base.slice(0, Math.max(slash, 0));
  const hasRegistry = slash >= 0 && (/[.:]/.test(first) || first === "localhost");
  const repository = hasRegistry ? base.slice(slash + 1) : base;
  if (repository.length < 2 || repository.length > 255) return { ok: false, fault: "a repository has 2 to 255 characters" };
  if (!/^[a-z0-9_./-]*$/.test(repository)) return { ok: false, fault: `"${repository}" is no repository: only a-z 0-9 _ . / - may occur` };
  const registry = !hasRegistry || first === "docker.io" ? defaultRegistry : first;
  if (!isAuthority(registry)) return { ok: false, fault: `"${registry}" is no registry host` };
  const official = registry === defaultRegistry && !repository.includes("/");
  return { ok: true, text: `${registry}/${official ? "library/" : ""}${repository}` };
}

/** Would Go's url.Parse take it as the host of a URL and give it back unchanged? */
function isAuthority(registry: string): boolean {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(registry);
  if (bracketed) return isIPv6(bracketed[1] ?? "") && !registry.includes("%");
  return /^[A-Za-z0-9\-._~!$&'()*+,;=:<>\]"\u0080-\u{10ffff}]*$/u.test(registry) && /^[^:]*$|:\d*$/.test(registry);
}
