import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** Which room may import which: the floor plan. Rows add up: a plug-in has its wing's row and its own. Nothing here points upward. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  "in-toto-attestation": [],
  http: [],
  "oci-client": ["http"],
  tekton: ["core"],
  config: ["core"],
  bundle: ["core", "in-toto-attestation"],
  verify: ["core", "in-toto-attestation", "bundle", "http"],
  testing: ["core", "in-toto-attestation", "bundle"],
  "formatters/*": ["core", "tekton", "in-toto-attestation"],
  "signers/*": ["core", "in-toto-attestation"],
  "storage/*": ["core", "in-toto-attestation", "bundle"],
  "signers/keyless": ["http"],
  "storage/oci": ["oci-client", "http"],
  "storage/rekor": ["http"],
  attest: ["core", "in-toto-attestation", "bundle"],
  kube: ["core", "http"],
  catalog: ["core", "tekton", "attest", "config", "verify", "http", "formatters/*", "signers/*", "storage/*"],
  "apps/*": ["packages/*", "apps/*"],
  "examples/*": ["packages/*"],
};

const root = join(import.meta.dirname, "..");
const manifests = globSync("{packages,apps,examples}/{*,*/*}/package.json", { cwd: root }).filter((file) => !file.includes("node_modules"));
interface Room {
  readonly folder: string;
  readonly room: string;
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}
const rooms: readonly Room[] = manifests.map((file) => {
  const { name, dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, file), "utf8"));
  const folder = dirname(file);
  return {
    folder,
    room: folder.replace(/^packages\//, ""),
    name,
    dependencies: Object.keys(dependencies),
    devDependencies: Object.keys(devDependencies),
  };
});
const roomOf = new Map(rooms.map((room) => [room.name, room]));

const fits = (pattern: string, { room, folder }: Room): boolean =>
  pattern === room || (pattern.endsWith("/*") && [room, folder].some((path) => path.startsWith(pattern.slice(0, -1))));
const allowed = (room: Room): readonly string[] =>
  Object.entries(mayImport).flatMap(([pattern, list]) => (fits(pattern, room) ? list : []));

interface Import {
  readonly file: string;
  readonly target: string;
}
const imports = (room: Room): readonly Import[] =>
  globSync("{src,test}/**/*.ts", { cwd: join(root, room.folder) }).flatMap((path) => {
    const file = join(room.folder, path);
    const text = readFileSync(join(root, file), "utf8");
    const found = text.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)|^import\s+"([^"]+)"/gm);
    return [...found].map(([, from, dynamic, bare]) => ({ file, target: from ?? dynamic ?? bare ?? "" }));
  });
const packageOf = (target: string): string =>
  target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");

describe.each(rooms)("$folder", (room) => {
  test("has a row in the floor plan", () => {
    expect(Object.keys(mayImport).some((pattern) => fits(pattern, room))).toBe(true);
  });

  test("imports only what its row allows and its package.json declares", () => {
    const broken = imports(room).flatMap(({ file, target }) => verdict(room, file, target));
    expect(broken).toEqual([]);
  });
});

function verdict(room: Room, file: string, target: string): readonly string[] {
  const isTest = /\.(test|fixture)\.ts$/.test(file);
  if (target.startsWith("node:")) return [];
  if (target.startsWith(".")) {
    const inside = normalize(join(dirname(file), target)).startsWith(`${room.folder}/`);
    return inside ? [] : [`${file} reaches out of its package with "${target}" — import the package by its name`];
  }
  const name = packageOf(target);
  const other = roomOf.get(name);
  if (other === room) return [];
  const declared = [...room.dependencies, ...(isTest ? [...room.devDependencies, "vitest", "fast-check"] : [])];
  if (other && !isTest && !allowed(room).some((pattern) => fits(pattern, other)))
    return [`${file} may not import ${other.room} — ${room.room} may import only ${allowed(room).join(", ") || "nothing"}`];
  if (other && isTest && other.room !== "testing" && !allowed(room).some((pattern) => fits(pattern, other)))
    return [`${file} may not import ${other.room}, not even in a test — only testing and ${allowed(room).join(", ") || "nothing"}`];
  return declared.includes(name) ? [] : [`${file} imports ${name}, which ${room.folder}/package.json does not declare`];
}

test("no circle among the packages", () => {
  const visiting = new Set<string>();
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    expect(visiting.has(name), [...path, name].join(" → ")).toBe(false);
    visiting.add(name);
    for (const next of roomOf.get(name)?.dependencies ?? []) if (roomOf.has(next)) walk(next, [...path, name]);
    visiting.delete(name);
    done.add(name);
  };
  for (const { name } of rooms) walk(name, []);
});

test("no file is called by a word that says nothing", () => {
  const names = globSync("{packages,apps,examples}/**/src/**/*.ts", { cwd: root }).filter((file) => !file.includes("node_modules"));
  expect(
    names.filter((file) => /(^|[/-])(utils?|helpers?|common|manager|service|info)([.-]|$)/.test(file.split("/").at(-1) ?? "")),
  ).toEqual([]);
});

test("each dependency has its line of reasoning in docs/dependencies.md", () => {
  const reasons = readFileSync(join(root, "docs/dependencies.md"), "utf8");
  const ours = new Set(rooms.map(({ name }) => name));
  const foreign = rooms.flatMap(({ dependencies }) => dependencies).filter((name) => !ours.has(name));
  expect([...new Set(foreign)].filter((name) => !reasons.includes(`\`${name}\``))).toEqual([]);
});
