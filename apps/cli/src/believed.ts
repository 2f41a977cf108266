import { join } from "node:path";
import { CountersignError } from "@countersign/core";
import type { Http } from "@countersign/http";
import {
  keyIdOf,
  type Policy,
  type SigstoreTrust,
  type TrustMaterial,
  trustedAuthorityFromPem,
  trustedKeysFromPem,
  trustSource,
} from "@countersign/verify";
import type { ClusterOptions } from "./cluster.ts";
import type { Terminal } from "./terminal.ts";
import type { TrustOptions } from "./trust-options.ts";
import { trustedKey } from "./trusted-key.ts";

/** Whom to believe, and what to ask of everybody. */
export interface Believed {
  readonly trust: TrustMaterial;
  readonly policy: Pick<Policy, "identity" | "log" | "certificateLog" | "at">;
  /** Logs to ask where a signature brings no entry along. */
  readonly logs: readonly string[];
}

/**
 * Keys, trust root, and what cosign's variables for private infrastructure add. Nothing is fetched unless certificates, or a log, are to be
 * judged and no file says by what.
 *
 * @throws CountersignError "config.not-a-key", "config.trust-root"
 */
export async function believed(options: TrustOptions & ClusterOptions, terminal: Terminal, wire: () => Http): Promise<Believed> {
  const identity = identityFrom(options);
  const { publicKeys, timedKeys } = options.key ? await trustedKey(options.key, options, terminal) : { publicKeys: [] };
  const sigstore = await sigstoreTrust(options, identity !== undefined, terminal, wire);
  const isLogged = sigstore !== undefined && !options.insecureIgnoreTlog;
  return {
    trust: { publicKeys, ...(timedKeys && { timedKeys }), ...(sigstore && { sigstore }) },
    policy: {
      ...(identity && { identity }),
      log: isLogged ? "required" : "ignored",
      certificateLog: options.insecureIgnoreSct ? "ignored" : "required",
      // as cosign does it: where no log need have seen the signature, the certificate must be good today
      ...(!isLogged && { at: new Date().toISOString() }),
    },
    logs: isLogged && !options.offline ? logsToAsk(options, sigstore) : [],
  };
}

function identityFrom(options: TrustOptions): Policy["identity"] {
  const { certificateIdentity, certificateIdentityRegexp, certificateOidcIssuer, certificateOidcIssuerRegexp } = options;
  if (!certificateIdentity && !certificateIdentityRegexp) return undefined;
  return {
    ...(certificateIdentity && { certificateIdentity }),
    ...(certificateIdentityRegexp && { certificateIdentityRegexp }),
    ...(certificateOidcIssuer && { oidcIssuer: certificateOidcIssuer }),
    ...(certificateOidcIssuerRegexp && { oidcIssuerRegexp: certificateOidcIssuerRegexp }),
  };
}

function logsToAsk({ rekorUrl }: TrustOptions, { logs }: SigstoreTrust): readonly string[] {
  if (rekorUrl) return [rekorUrl];
  // Rekor v2 cannot be asked, and names its key in another way
  const askable = logs.filter(({ url, keyId, publicKey }) => /^https?:\/\//.test(url) && keyId === keyIdOf(publicKey));
  return [...new Set(askable.map(({ url }) => url))];
}

/** Undefined: only keys are to be judged. */
async function sigstoreTrust(
  options: TrustOptions,
  isKeyless: boolean,
  terminal: Terminal,
  wire: () => Http,
): Promise<SigstoreTrust | undefined> {
  const own = await fromVariables(terminal);
  const { trustedRoot: file, tufMirror, tufRoot, rekorUrl, offline, insecureIgnoreTlog, insecureIgnoreSct } = options;
  const isWanted = isKeyless || file || tufMirror || rekorUrl || own.logs || own.timestampAuthorities;
  if (!isWanted) return undefined;
  const isWhole =
    (!isKeyless || (own.certificateAuthorities && (own.ctLogs || insecureIgnoreSct))) &&
    (own.logs || own.timestampAuthorities || insecureIgnoreTlog);
  const call = { signal: terminal.signal };
  if (file) return { ...nobody, ...(await trustSource({ text: await rootText(file, terminal) })(call)), ...own };
  if (isWhole && !tufMirror) return { ...nobody, ...own };
  if (offline) throw fault("--offline needs to be told whom to believe: give --trusted-root with a trusted_root.json");
  const cacheFolder = cacheFolderOf(terminal);
  const root = tufRoot === undefined ? undefined : await terminal.readText(tufRoot);
  const tuf = { ...(tufMirror && { mirror: tufMirror }), ...(root && { root }), ...(cacheFolder && { cacheFolder }) };
  return { ...nobody, ...(await trustSource({ tuf, http: wire() })(call)), ...own };
}

async function rootText(file: string, { readText }: Terminal): Promise<string> {
  const text = await readText(file);
  // trustSource cannot say which file it was
  await trustSource({ text })({ signal: AbortSignal.timeout(1_000) }).catch((error: Error) => {
    throw fault(`${file}: ${error.message}`);
  });
  return text;
}

const nobody: SigstoreTrust = { logs: [], ctLogs: [], certificateAuthorities: [], timestampAuthorities: [] };

type Variable = "SIGSTORE_ROOT_FILE" | "SIGSTORE_REKOR_PUBLIC_KEY" | "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE" | "SIGSTORE_TSA_CERTIFICATE_FILE";

/** What cosign's variables name replaces that part of the trust root. */
async function fromVariables(terminal: Terminal): Promise<Partial<SigstoreTrust>> {
  const read = async <T>(variable: Variable, parse: (pem: string) => T): Promise<T | undefined> => {
    const file = terminal.env[variable];
    if (!file) return undefined;
    const pem = await terminal.readText(file);
    try {
      return parse(pem);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw fault(`${file} (${variable}): ${error.message}`);
    }
  };
  const authority = (pem: string) => [trustedAuthorityFromPem(pem, "")];
  const keys = (pem: string) => trustedKeysFromPem(pem, "");
  const [certificateAuthorities, logs, ctLogs, timestampAuthorities] = await Promise.all([
    read("SIGSTORE_ROOT_FILE", authority),
    read("SIGSTORE_REKOR_PUBLIC_KEY", keys),
    read("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", keys),
    read("SIGSTORE_TSA_CERTIFICATE_FILE", authority),
  ]);
  return {
    ...(certificateAuthorities && { certificateAuthorities }),
    ...(logs && { logs }),
    ...(ctLogs && { ctLogs }),
    ...(timestampAuthorities && { timestampAuthorities }),
  };
}

function cacheFolderOf({ env }: Terminal): string | undefined {
  const cache = env["XDG_CACHE_HOME"] || (env["HOME"] && join(env["HOME"], ".cache"));
  return cache && !env["SIGSTORE_NO_CACHE"] ? join(cache, "countersign", "tuf") : undefined;
}

const fault = (sentence: string): CountersignError => new CountersignError("config.trust-root", sentence, { retry: "hold" });
