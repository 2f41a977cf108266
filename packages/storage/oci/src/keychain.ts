import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Artifact, type Call, CountersignError } from "@countersign/core";
import { type Credential, credentialsFrom, type DockerConfig, parseDockerConfig, type Repository } from "@countersign/oci-client";

/**
 * Ways to be let into a repository, in the order in which they are to be tried; none is anonymous. `artifact` says whose run it is about,
 * undefined where somebody just looks at an image.
 */
export type CredentialSource = (
  artifact: Pick<Artifact, "run" | "serviceAccount"> | undefined,
  place: Repository,
  call: Call,
) => Promise<readonly Credential[]>;

/** The text of a Kubernetes Secret for registries, and what to call it in sentences. */
export interface SecretText {
  readonly type: string;
  readonly text: string;
  readonly source: string;
}

/**
 * Everything that any source knows of a place, in the order of the sources: the registry is asked with one after the other until it lets
 * one in. So a run's credentials that may only read do not stand in the way of the controller's, which the run could have had anyway by
 * bringing none; who does not want to lend the controller's leaves that source out. A source that fails is an error only as long as those
 * before it know nothing.
 */
export function inOrder(...sources: readonly CredentialSource[]): CredentialSource {
  return async (artifact, place, call) => {
    const candidates: Credential[] = [];
    for (const source of sources) {
      try {
        candidates.push(...(await source(artifact, place, call)));
      } catch (error) {
        if (call.signal.aborted || candidates.length === 0) throw error;
      }
    }
    return candidates;
  };
}

/**
 * The Secrets of a run's ServiceAccount. They belong to whoever owns the namespace, so their credential helpers, programs that would run
 * here, are left out.
 *
 * @throws CountersignError "store.credentials-unreadable"
 */
export function secretsKeychain(
  secretsOf: (namespace: string, serviceAccount: string, call: Call) => Promise<readonly SecretText[]>,
): CredentialSource {
  return async (artifact, place, call) => {
    if (!artifact) return [];
    const secrets = await secretsOf(artifact.run.namespace, artifact.serviceAccount, call);
    const configs = secrets.map(({ text, source }) => readable(() => parseDockerConfig(text, source)));
    return flattened(configs.map((config) => credentialsFrom({ ...config, helpers: {}, store: undefined }, place, call)));
  };
}

export interface DockerKeychainOptions {
  /** Default process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the home of the process's user. */
  readonly home?: string;
}

/**
 * The docker configuration of this very process: $DOCKER_CONFIG/config.json or ~/.docker/config.json, then $REGISTRY_AUTH_FILE, then
 * podman's containers/auth.json. Read anew each time: these files are mounted Secrets that change.
 *
 * @throws CountersignError "store.credentials-unreadable"
 */
export function dockerKeychain({ env = process.env, home = homedir() }: DockerKeychainOptions = {}): CredentialSource {
  return async (_, place, { signal }) => {
    const configs: DockerConfig[] = [];
    for (const file of filesFrom(env, home)) {
      const text = await textOf(file);
      if (text !== undefined) configs.push(readable(() => parseDockerConfig(text, file)));
    }
    return flattened(configs.map((config) => credentialsFrom(config, place, { signal, env })));
  };
}

function filesFrom(env: NonNullable<DockerKeychainOptions["env"]>, home: string): readonly string[] {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR } = env;
  return [
    join(DOCKER_CONFIG || join(home, ".docker"), "config.json"),
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, "containers", "auth.json")] : []),
    join(home, ".config", "containers", "auth.json"),
  ];
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(`${file} cannot be read (${code})`, cause);
  }
}

function readable(parse: () => DockerConfig): DockerConfig {
  try {
    return parse();
  } catch (cause) {
    throw unreadable((cause as Error).message, cause);
  }
}

async function flattened(candidates: readonly Promise<readonly Credential[]>[]): Promise<readonly Credential[]> {
  try {
    return (await Promise.all(candidates)).flat();
  } catch (cause) {
    throw cause instanceof TypeError ? unreadable(cause.message, cause) : cause;
  }
}

const unreadable = (sentence: string, cause: unknown): CountersignError =>
  new CountersignError("store.credentials-unreadable", sentence, { retry: "counted", cause });
