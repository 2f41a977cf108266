import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { type PartName, partNames, type Recipe, recipeKey, recipes } from "./recipes.ts";

export type { PartName } from "./recipes.ts";

export interface FoundPart {
  readonly name: PartName;
  readonly path: string;
  /** Of the program, or of the package it was taken from. */
  readonly version: string;
  readonly from: string;
}

/** Shared by all checkouts of this user; what a recipe no longer names is simply never looked at again. */
export const partsStore = (): string => `${process.env["XDG_CACHE_HOME"] || `${homedir()}/.cache`}/countersign/parts`;

/** Where the builds of one recipe lie: one folder for each compiler or package version. */
export const shelfOf = (name: PartName): string => `${partsStore()}/${name}/${recipeKey(recipes[name])}`;

/** The folder that the control-plane programs of other projects' tests come from; honoured for the same three names. */
const lent: readonly PartName[] = ["kube-apiserver", "etcd", "kubectl"];

/** Needs neither network nor compiler. */
export function findPart(name: PartName): FoundPart | undefined {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets && lent.includes(name) && existsSync(`${assets}/${name}`)) {
    return { name, path: `${assets}/${name}`, version: "as it is", from: "KUBEBUILDER_ASSETS" };
  }
  const shelf = shelfOf(name);
  const newest = existsSync(shelf) ? readdirSync(shelf).sort((a, b) => age(shelf, a) - age(shelf, b))[0] : undefined;
  if (newest === undefined) return undefined;
  return { name, path: `${shelf}/${newest}/${name}`, ...originOf(recipes[name], newest) };
}

/** Path of a program that tests start. */
export function part(name: PartName): string {
  const found = findPart(name);
  if (found) return found.path;
  throw new Error(`The test part ${name} is missing: run npm run parts (it says what it cannot get, and why).`);
}

export const missingParts = (names: readonly PartName[] = partNames): readonly PartName[] => names.filter((name) => !findPart(name));

const age = (shelf: string, entry: string): number => -statSync(`${shelf}/${entry}`).mtimeMs;

function originOf(recipe: Recipe, entry: string): { version: string; from: string } {
  if (recipe.kind === "go") return { version: recipe.version, from: `Go modules, ${entry}` };
  return { version: entry, from: `Debian sid, ${recipe.package}` };
}
