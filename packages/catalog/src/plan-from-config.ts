import type { ArtifactConfig, ChainsConfig } from "@countersign/config";
import { type Plan, type Route, route, type Signer, type StorageBackend, type Witness } from "@countersign/core";
import { imagesOf, type Run } from "@countersign/tekton";
import { type Catalog, catalog } from "./catalog.ts";
import { heldSigner, heldStorage, heldWitness, madeOr } from "./held.ts";
import type { CatalogHost } from "./host.ts";
import { signerPlugIn, storagePlugIn } from "./plug-in-name.ts";

/** Config names become objects here, once; from here on nobody sees a name. What cannot be had puts its own route on hold. */
export function planFromConfig(config: ChainsConfig, host: CatalogHost, from: Catalog = catalog): Plan<Run> {
  const { taskRun, pipelineRun, image } = config.artifacts;
  const parts = partsFrom(config, host, from);
  const runRoute = (kind: ArtifactConfig, deepInspection: boolean) => {
    const format = { format: kind.format, builderId: config.builder.id, buildType: config.buildType, deepInspection };
    const formatter = owned(from.runFormatters, kind.format)?.(format);
    return (run: Run): readonly Route[] => (kind.enabled && formatter ? [route(run, formatter, parts(kind, run))] : []);
  };
  const imageFormatter = owned(from.imageFormatters, image.format)?.();
  const [taskRunRoute, pipelineRunRoute] = [runRoute(taskRun, false), runRoute(pipelineRun, pipelineRun.deepInspection)];
  const imageRoutes = (run: Run): readonly Route[] =>
    image.enabled && imageFormatter ? imagesOf(run).map((one) => route(one, imageFormatter, parts(image, run))) : [];
  return (run) => (run.ref.kind === "PipelineRun" ? pipelineRunRoute(run) : [...taskRunRoute(run), ...imageRoutes(run)]);
}

type Through = Pick<Route, "signer" | "witnesses" | "backends">;

/** One object for each name, shared by all routes: a key is decrypted once, a registry is talked to through one turn-keeper. */
function partsFrom(config: ChainsConfig, host: CatalogHost, from: Catalog): (kind: ArtifactConfig, run: Run) => Through {
  const signers = new Map<string, Signer>();
  const backends = new Map<string, StorageBackend>();
  const signer = (name: string, leavesTheRun: boolean): Signer =>
    kept(signers, `${name} ${leavesTheRun}`, () => signerFrom(config, host, from, name, leavesTheRun));
  const backend = (name: string): StorageBackend => kept(backends, name, () => storageFrom(config, host, from, name));
  const log = config.transparency.enabled === "off" ? undefined : witnessFrom(config, host, from);
  return (kind, run) => {
    const witnesses = log && isLogged(config, run) ? [log] : [];
    const leavesTheRun = witnesses.length > 0 || kind.storage.some((name) => name !== "tekton");
    return { signer: signer(kind.signer, leavesTheRun), witnesses, backends: kind.storage.map(backend) };
  };
}

/** Manual: asked for on the run, and not logged before, unless that was by a try that has not ended yet. */
function isLogged({ transparency }: ChainsConfig, { annotations }: Run): boolean {
  if (transparency.enabled !== "manual") return transparency.enabled === "true";
  const logged = annotations["chains.tekton.dev/transparency"] !== undefined && annotations["chains.tekton.dev/retries"] === undefined;
  return annotations["chains.tekton.dev/transparency-upload"] === "true" && !logged;
}

function signerFrom(config: ChainsConfig, host: CatalogHost, from: Catalog, name: string, leavesTheRun: boolean): Signer {
  const plugin = signerPlugIn(name, config);
  const what = plugin === "keyless" ? "signers.x509.fulcio.enabled" : `signer "${name}"`;
  return madeOr(
    () => owned(from.signers, plugin)?.(config, host, { leavesTheRun }),
    (why) => heldSigner(name, why),
    what,
  );
}

function storageFrom(config: ChainsConfig, host: CatalogHost, from: Catalog, name: string): StorageBackend {
  const plugin = storagePlugIn(name, config);
  return madeOr(
    () => owned(from.storage, plugin)?.(config, host),
    (why) => heldStorage(name, why),
    `storage "${plugin}"`,
  );
}

function witnessFrom(config: ChainsConfig, host: CatalogHost, from: Catalog): Witness {
  return madeOr(
    () => owned(from.witnesses, "rekor")?.(config, host),
    (why) => heldWitness("rekor", why),
    "a transparency log (transparency.enabled)",
  );
}

/** A signer called "toString" must not exist. */
const owned = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function kept<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
