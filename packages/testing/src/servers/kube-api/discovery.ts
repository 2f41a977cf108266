import { type Resource, resources } from "./resources.ts";

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
const versions = [...Map.groupBy(resources, ({ apiVersion }) => apiVersion)];
const folderOf = (apiVersion: string): string => `${apiVersion === "v1" ? "api" : "apis"}/${apiVersion}`;

function groupsOf(groupVersion: string): readonly object[] {
  const version = { groupVersion, version: "v1" };
  return groupVersion === "v1" ? [] : [{ name: groupVersion.split("/")[0], versions: [version], preferredVersion: version }];
}

function resourceList(groupVersion: string, kinds: readonly Resource[]): object {
  const entries = kinds.flatMap(({ plural, kind, namespaced, shortNames, custom }) => {
    const entry = { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, shortNames };
    return custom ? [entry, { ...entry, name: `${plural}/status`, verbs: ["patch", "update"] }] : [entry];
  });
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: entries };
}

/** kubectl looks for one thing here: that PATCH of the kind knows the parameter fieldValidation, so that it need not check fields itself. */
function openApi(kinds: readonly Resource[]): object {
  const paths = kinds.map(({ group, kind, plural }) => {
    const what = { "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": { group, version: "v1", kind } };
    return [`/${plural}`, { patch: { parameters: [{ name: "fieldValidation", in: "query" }], ...what } }];
  });
  return { openapi: "3.0.0", paths: Object.fromEntries(paths) };
}

/** What clients ask before they begin: versions, kinds, and as much OpenAPI as kubectl's apply insists on. */
export const discovery: ReadonlyMap<string, object> = new Map<string, object>([
  ["/version", { major: "1", minor: "36", gitVersion: "v1.36.0-countersign-testing" }],
  ["/api", { kind: "APIVersions", versions: ["v1"] }],
  ["/apis", { kind: "APIGroupList", apiVersion: "v1", groups: versions.flatMap(([version]) => groupsOf(version)) }],
  ["/openapi/v3", { paths: Object.fromEntries(versions.map(([v]) => [folderOf(v), { serverRelativeURL: `/openapi/v3/${folderOf(v)}` }])) }],
  ...versions.map(([version, kinds]): [string, object] => [`/${folderOf(version)}`, resourceList(version, kinds)]),
  ...versions.map(([version, kinds]): [string, object] => [`/openapi/v3/${folderOf(version)}`, openApi(kinds)]),
]);
