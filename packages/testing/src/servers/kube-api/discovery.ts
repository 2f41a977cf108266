import { resources } from "./resources.ts";

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
const kinds = Map.groupBy(resources, ({ group, apiVersion }) => `${group ? "apis" : "api"}/${apiVersion}`);
const folders = [...kinds.keys()];

const groups = folders.slice(1).map((folder) => {
  const [, name, version] = folder.split("/");
  const only = { groupVersion: `${name}/${version}`, version };
  return { name, versions: [only], preferredVersion: only };
});

const lists = [...kinds].map(([folder, list]): [string, object] => {
  const entries = list.map(({ plural: name, kind, ...rest }) => ({ name, singularName: kind.toLowerCase(), kind, verbs, ...rest }));
  return [`/${folder}`, { kind: "APIResourceList", apiVersion: "v1", groupVersion: folder.replace(/^apis?./, ""), resources: entries }];
});

/** kubectl looks for one thing here: that PATCH of the kind knows the parameter fieldValidation, so that it need not check fields itself. */
const paths = resources.map(({ group, kind, plural }) => {
  const what = { "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": { group, version: "v1", kind } };
  return [`/${plural}`, { patch: { parameters: [{ name: "fieldValidation", in: "query" }], ...what } }];
});

/** What clients ask before they begin: versions, kinds, and as much OpenAPI as kubectl's apply insists on. */
export const discovery: ReadonlyMap<string, object> = new Map<string, object>([
  ["/version", { major: "1", minor: "36", gitVersion: "v1.36.0-countersign-testing" }],
  ["/api", { kind: "APIVersions", versions: ["v1"] }],
  ["/apis", { kind: "APIGroupList", apiVersion: "v1", groups }],
  ["/openapi/v3", { paths: Object.fromEntries(folders.map((folder) => [folder, { serverRelativeURL: "/openapi/v3/all" }])) }],
  ["/openapi/v3/all", { openapi: "3.0.0", paths: Object.fromEntries(paths) }],
  ...lists,
]);
