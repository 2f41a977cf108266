import type { ArtifactConfig, ChainsConfig } from "@countersign/config";
import {
  CountersignError,
  type Formatter,
  type Plan,
  type Route,
  route,
  type Signer,
  type StorageBackend,
  type Witness,
} from "@countersign/core";
import { type Image, imagesOf, type Run } from "@countersign/tekton";
import { type Catalog, catalog, type SignerChoice } from "./catalog.ts";
import { heldSigner, heldStorage, heldWitness, madeOr } from "./held.ts";
import type { CatalogHost, PlanHost } from "./host.ts";
import { imageFormat, type Parcel, signerPlugIn, storagePlugIns, witnessPlugIns } from "./plug-in-name.ts";
import { trustFrom } from "./trust.ts";

/** Config names become objects here, once; from here on nobody sees a name. What cannot be had puts its own route on hold. */
export function planFromConfig(config: ChainsConfig, host: CatalogHost, from: Catalog = catalog): Plan<Run> {
  const { taskRun, pipelineRun, image } = config.artifacts;
  const parts = partsFrom(config, host, from);
  const runRoute = (kind: ArtifactConfig, deepInspection: boolean) => {
    const format = { format: kind.format, builderId: config.builder.id, buildType: config.buildType, deepInspection };
    const formatter = owned(from.runFormatters, kind.format)?.(format);
    const parcel: Parcel = { isStatement: true, plugIns: plugInsOf(kind, config) };
    return (run: Run): readonly Route[] => (kind.enabled && formatter ? [route(run, formatter, parts(kind.signer, parcel, run))] : []);
  };
  const [taskRunRoute, pipelineRunRoute] = [runRoute(taskRun, false), runRoute(pipelineRun, pipelineRun.deepInspection)];
  const forms = image.enabled ? imageForms(config, from) : [];
  const imageRoutes = (run: Run): readonly Route[] => {
    const images = within(config.limits.imagesPerRun, imagesOf(run));
    return images.flatMap((one) =>
      forms.map(({ formatter, parcel }) => route(one.image, one.refused ?? formatter, parts(image.signer, parcel, run))),
    );
  };
  return (run) => (run.ref.kind === "PipelineRun" ? pipelineRunRoute(run) : [...taskRunRoute(run), ...imageRoutes(run)]);
}

interface Signable {
  readonly image: Image;
  /** In place of what would sign it. */
  readonly refused?: Formatter<Image>;
}

/** A run names its images itself; too many of them are one failure, not thousands of signatures. */
function within(most: number, images: readonly Image[]): readonly Signable[] {
  const [first] = images;
  if (images.length <= most || !first) return images.map((image) => ({ image }));
  const sentence = `the run names ${images.length} images, and limits.images-per-run allows ${most}: let it name fewer, or raise the limit`;
  const format = (): never => {
    throw new CountersignError("format.too-many-images", sentence, { retry: "never" });
  };
  return [{ image: first, refused: { name: "too-many", format } }];
}

const plugInsOf = (kind: ArtifactConfig, config: ChainsConfig): readonly string[] =>
  kind.storage.flatMap((name) => storagePlugIns(name, config));

interface ImageForm {
  readonly formatter: Formatter<Image>;
  readonly parcel: Parcel;
}

/** Each form of an image signature, with the storages that take it. */
function imageForms(config: ChainsConfig, from: Catalog): readonly ImageForm[] {
  const byFormat = Object.groupBy(plugInsOf(config.artifacts.image, config), (plugIn) => imageFormat(plugIn, config));
  return Object.entries(byFormat).flatMap(([format, plugIns = []]) => {
    const formatter = owned(from.imageFormatters, format)?.();
    return formatter ? [{ formatter, parcel: { isStatement: format === "sign-v1", plugIns } }] : [];
  });
}

type Through = Pick<Route, "signer" | "witnesses" | "backends">;
type Parts = (signer: string, parcel: Parcel, run: Run) => Through;

/** One object for each name, shared by all routes: a key is decrypted once, a registry is talked to through one turn-keeper. */
function partsFrom(config: ChainsConfig, host: CatalogHost, from: Catalog): Parts {
  const signers = new Map<string, Signer>();
  const backends = new Map<string, StorageBackend>();
  const witnesses = new Map<string, Witness>();
  const lent: PlanHost = { ...host, trust: trustFrom(config, host) };
  const signer = (name: string, choice: SignerChoice): Signer =>
    kept(signers, `${name} ${JSON.stringify(choice)}`, () => signerFrom(config, lent, from, name, choice));
  const backend = (plugIn: string): StorageBackend => kept(backends, plugIn, () => storageFrom(config, lent, from, plugIn));
  const witness = (plugIn: string): Witness => kept(witnesses, plugIn, () => witnessFrom(config, lent, from, plugIn));
  return (name, parcel, run) => {
    const { plugIns } = parcel;
    const asked = witnessPlugIns(config, isLogged(config, run), parcel).map(witness);
    const witnessed = asked.length > 0;
    const leavesTheRun = witnessed || plugIns.some((plugIn) => plugIn !== "tekton");
    return { signer: signer(name, { leavesTheRun, witnessed }), witnesses: asked, backends: plugIns.map(backend) };
  };
}

/** Manual: asked for on the run, and not logged before, unless that was by a try that has not ended yet. */
function isLogged({ transparency }: ChainsConfig, { annotations }: Run): boolean {
  if (transparency.enabled !== "manual") return transparency.enabled === "true";
  const logged = annotations["chains.tekton.dev/transparency"] !== undefined && annotations["chains.tekton.dev/retries"] === undefined;
  return annotations["chains.tekton.dev/transparency-upload"] === "true" && !logged;
}

function signerFrom(config: ChainsConfig, host: PlanHost, from: Catalog, name: string, choice: SignerChoice): Signer {
  const plugin = signerPlugIn(name, config);
  const what = plugin === "keyless" ? "signers.x509.fulcio.enabled" : `signer "${name}"`;
  return madeOr(
    () => owned(from.signers, plugin)?.(config, host, choice),
    (why) => heldSigner(name, why),
    what,
  );
}

function storageFrom(config: ChainsConfig, host: PlanHost, from: Catalog, plugIn: string): StorageBackend {
  return madeOr(
    () => owned(from.storage, plugIn)?.(config, host),
    (why) => heldStorage(plugIn.split(":")[0] ?? plugIn, why),
    `storage "${plugIn}"`,
  );
}

function witnessFrom(config: ChainsConfig, host: PlanHost, from: Catalog, plugIn: string): Witness {
  return madeOr(
    () => owned(from.witnesses, plugIn)?.(config, host),
    (why) => heldWitness(plugIn, why),
    `witness "${plugIn}"`,
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
