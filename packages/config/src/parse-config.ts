import convict from "convict";
import type { ChainsConfig } from "./chains-config.ts";
import { combinationsIn } from "./combinations.ts";
import { ConfigError, type Remark } from "./config-error.ts";
import { formats, quoted, Unread } from "./formats.ts";
import { keys, rowOf } from "./keys.ts";
import { nearest } from "./nearest.ts";

export interface ParsedConfig {
  readonly config: ChainsConfig;
  /** What was ignored: unknown keys, and values that upstream ignores in silence. */
  readonly warnings: readonly Remark[];
}

convict.addFormats({ ...formats });
const schema = Object.fromEntries(Object.entries(keys).map(([alias, row]) => [alias, { ...row, format: `chains-${row.format}` }]));

/**
 * The data of a chains-config ConfigMap, read as Tekton Chains reads it: what it accepts is accepted, what it ignores is ignored
 * with a warning.
 *
 * @throws ConfigError with every mistake, each with its key, the allowed values and the nearest one
 */
export function parseConfig(map: Readonly<Record<string, string>>): ParsedConfig {
  const settings = convict<Record<string, unknown>>(schema as never, { env: {}, args: [] });
  const problems: Remark[] = [];
  const warnings: Remark[] = [];
  for (const [key, value] of Object.entries<unknown>(map)) {
    const row = rowOf.get(key);
    if (key === "_example") continue; // Knative's habit: a commented example under a key that nobody reads
    if (!row) warnings.push(unknownKey(key));
    else if (typeof value !== "string") problems.push({ key, sentence: `${key} must be a string: put its value in quotes` });
    else
      try {
        settings.set(row.alias, value);
        if (row.format === "text" && value.trim() !== value) warnings.push(padded(key));
      } catch (error) {
        if (!(error instanceof Unread)) throw error;
        (error.kind === "mistake" ? problems : warnings).push(remarkOf(key, error, row.allowed));
      }
  }
  if (problems.length > 0) throw new ConfigError(problems, warnings);
  const config = snapshot(settings.getProperties());
  return frozen({ config, warnings: [...warnings, ...combinationsIn(config)] });
}

function remarkOf(key: string, error: Unread, allowed: readonly string[] | undefined): Remark {
  const hint = error.nearest === undefined ? "" : `; did you mean ${quoted(error.nearest)}?`;
  const sentence = `${key}: ${error.message}${hint}`;
  return { key, sentence, ...(allowed && { allowed }), ...(error.nearest !== undefined && { nearest: error.nearest }) };
}

function unknownKey(key: string): Remark {
  const near = nearest(key, rowOf.keys());
  const sentence = `${quoted(key)} is no key of chains-config and is ignored${near ? `; did you mean ${near}?` : ""}`;
  return { key, sentence, ...(near && { nearest: near }) };
}

const padded = (key: string): Remark => ({ key, sentence: `${key} begins or ends with white space, which is kept: is that meant?` });

/** The aliases of keys.ts turn into the nested snapshot here and nowhere else. */
function snapshot(values: Readonly<Record<string, unknown>>): ChainsConfig {
  const get = <T>(alias: string): T => values[alias] as T;
  const never = (alias: string): number | undefined => (values[alias] === "never" ? undefined : (values[alias] as number));
  const artifact = <F extends string>(kind: "taskRun" | "pipelineRun" | "image") => {
    const [format, storage] = [get<F>(`${kind}Format`), get<ChainsConfig["artifacts"]["image"]["storage"]>(`${kind}Storage`)];
    const signer = get<ChainsConfig["artifacts"]["image"]["signer"]>(`${kind}Signer`);
    return { format, storage, signer, enabled: signer !== "none" && storage.length > 0 };
  };
  return {
    artifacts: {
      taskRun: artifact("taskRun"),
      pipelineRun: { ...artifact("pipelineRun"), deepInspection: get("deepInspection") },
      image: artifact("image"),
    },
    builder: { id: get("builderId") },
    buildType: get("buildType"),
    transparency: {
      enabled: get("transparencyEnabled"),
      url: get("transparencyUrl"),
      version: get("transparencyVersion"),
      entryKind: get("transparencyEntryKind"),
      timestampUrl: get("timestampUrl"),
    },
    trust: { root: get("trustRoot"), rootFile: get("trustRootFile"), tuf: get("trustTuf") },
    storage: {
      oci: {
        repository: get("ociRepository"),
        insecure: get("ociInsecure"),
        encodingFormat: get("ociEncodingFormat"),
        credentialSources: get("ociCredentialSources"),
        allowedHosts: get("ociAllowedHosts"),
        insecureHosts: get("ociInsecureHosts"),
      },
      gcs: { bucket: get("gcsBucket") },
      docdb: {
        url: get("docdbUrl"),
        mongoServerUrl: get("mongoServerUrl"),
        mongoServerUrlDir: get("mongoServerUrlDir"),
        mongoServerUrlPath: get("mongoServerUrlPath"),
      },
      archivista: { url: get("archivistaUrl") },
      grafeas: { projectId: get("grafeasProjectId"), noteId: get("grafeasNoteId"), noteHint: get("grafeasNoteHint") },
      pubsub: {
        provider: get<"inmemory" | "kafka" | null>("pubsubProvider") ?? "",
        topic: get("pubsubTopic"),
        kafkaBootstrapServers: get("kafkaBootstrapServers"),
      },
    },
    signers: {
      x509: {
        fulcio: {
          enabled: get("fulcioEnabled"),
          address: get("fulcioAddress"),
          issuer: get("fulcioIssuer"),
          provider: get("fulcioProvider"),
        },
        identityTokenFile: get("identityTokenFile"),
        tufMirrorUrl: get("tufMirrorUrl"),
      },
      kms: {
        kmsref: get("kmsref"),
        auth: {
          address: get("kmsAddress"),
          token: get("kmsToken"),
          tokenPath: get("kmsTokenPath"),
          oidc: { path: get("kmsOidcPath"), role: get("kmsOidcRole"), tokenPath: get("kmsOidcTokenPath") },
          spire: { sock: get("kmsSpireSock"), audience: get("kmsSpireAudience") },
        },
      },
    },
    filter: { managedBy: get("managedBy") },
    retries: { transientDeadlineMs: never("transientDeadline") },
    limits: { imagesPerRun: get("imagesPerRun") },
    finalizer: { deadlineMs: never("finalizerDeadline") ?? Number.POSITIVE_INFINITY },
  };
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
