import type { Credential } from "./credential.ts";
import { type HelperOptions, helperCredential } from "./credential-program.ts";
import { dockerHub, type Repository } from "./reference.ts";

/** What `docker login` keeps, and what a Kubernetes registry Secret holds. */
export interface DockerConfig {
  readonly entries: readonly DockerConfigEntry[];
  /** Registry host to the name of the program docker-credential-<name>. */
  readonly helpers: Readonly<Record<string, string>>;
  /** The program for every other host. */
  readonly store: string | undefined;
  readonly source: string;
}

interface DockerConfigEntry {
  readonly pattern: Pattern;
  readonly credential: Credential;
}

/** host[:port][/path], labels of the host may hold "*" and "?". */
interface Pattern {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: readonly string[];
}

/**
 * ".dockerconfigjson" (an object with auths, credHelpers, credsStore) or the older ".dockercfg" (the auths alone).
 *
 * @throws TypeError when it is no JSON object; the text is not repeated
 */
export function parseDockerConfig(text: string, source: string): DockerConfig {
  const whole = objectFrom(text, source);
  const modern = ["auths", "credHelpers", "credsStore"].some((key) => Object.hasOwn(whole, key));
  const auths = modern ? whole["auths"] : whole;
  const entries = Object.entries(isObject(auths) ? auths : {}).flatMap(([key, value]) => {
    const credential = isObject(value) ? credentialFrom(value, source) : undefined;
    return credential ? [{ pattern: patternFrom(key), credential }] : [];
  });
  const helpers = Object.entries(isObject(whole["credHelpers"]) ? whole["credHelpers"] : {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  const store = modern && typeof whole["credsStore"] === "string" && whole["credsStore"] !== "" ? whole["credsStore"] : undefined;
  return { entries: entries.sort(closestFirst), helpers: Object.fromEntries(helpers), store, source };
}

/** The credentials that fit a repository, the most specific entry first; a helper's answer stands where its host was named. */
export async function credentialsFrom(config: DockerConfig, place: Repository, options: HelperOptions): Promise<readonly Credential[]> {
  const helper = ownEntry(config.helpers, place.registry) ?? config.store;
  const asked = helper ? await helperCredential(helper, serverUrlOf(place.registry), { ...options, source: config.source }) : undefined;
  const listed = config.entries.filter(({ pattern }) => fits(pattern, place)).map(({ credential }) => credential);
  return asked ? [asked, ...listed] : listed;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function objectFrom(text: string, source: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds passwords.
  }
  if (isObject(value)) return value;
  throw new TypeError(`${source} is no docker config: a JSON object with "auths" is expected`);
}

function credentialFrom(entry: Readonly<Record<string, unknown>>, source: string): Credential | undefined {
  const word = (key: string): string => (typeof entry[key] === "string" ? entry[key] : "");
  if (word("identitytoken")) return { kind: "identity-token", token: word("identitytoken"), source };
  if (word("registrytoken")) return { kind: "registry-token", token: word("registrytoken"), source };
  const [, user, secret] = /^([^:]+):([\s\S]*)$/.exec(Buffer.from(word("auth"), "base64").toString("utf8").replace(/\0+$/, "")) ?? [];
  const username = user ?? word("username");
  const password = secret ?? word("password");
  return username || password ? { kind: "basic", username, password, source } : undefined;
}

function patternFrom(key: string): Pattern {
  const [host = "", ...path] = key
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "")
    .split("/");
  const [, name = host, port = ""] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  const hub = ["docker.io", "registry-1.docker.io"].includes(name.toLowerCase()) ? dockerHub : name.toLowerCase();
  return { labels: hub.split("."), port, path: /^v[12]$/.test(path[0] ?? "") ? path.slice(1) : path };
}

/** Whole path segments: "/acme" is no prefix of "acme-evil". */
function fits({ labels, port, path }: Pattern, { registry, repository }: Repository): boolean {
  const [, name = registry, ownPort = ""] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(registry) ?? [];
  const own = name.toLowerCase().split(".");
  const segments = repository.split("/");
  return (
    port === ownPort &&
    labels.length === own.length &&
    labels.every((label, i) => labelFits(label, own[i] ?? "")) &&
    path.every((segment, i) => segment === segments[i])
  );
}

/** "*" for any letters, "?" for one. No regular expression: both the glob and the name may be made to be slow. */
function labelFits(glob: string, label: string): boolean {
  let [g, l, star, mark] = [0, 0, -1, 0];
  while (l < label.length) {
    if (glob[g] === "*") [star, mark, g] = [g, l, g + 1];
    else if (glob[g] === "?" || glob[g] === label[l]) [g, l] = [g + 1, l + 1];
    else if (star >= 0) [g, mark, l] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return /^\**$/.test(glob.slice(g));
}

const closestFirst = (a: DockerConfigEntry, b: DockerConfigEntry): number =>
  b.pattern.path.length - a.pattern.path.length || globsOf(a) - globsOf(b);
const globsOf = ({ pattern }: DockerConfigEntry): number => pattern.labels.filter((label) => /[*?]/.test(label)).length;

/** The key under which docker itself keeps Docker Hub. */
const serverUrlOf = (registry: string): string => (registry === dockerHub ? `https://${dockerHub}/v1/` : registry);

const ownEntry = (of: Readonly<Record<string, string>>, registry: string): string | undefined => {
  const names = registry === dockerHub ? [dockerHub, "docker.io", serverUrlOf(dockerHub)] : [registry];
  return names.filter((name) => Object.hasOwn(of, name)).map((name) => of[name])[0];
};
