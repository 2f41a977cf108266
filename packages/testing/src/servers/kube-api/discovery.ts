import { groupVersion, type Resource, resources } from "./resources.ts";

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
const groups: readonly Resource[] = resources.filter((one, index) => resources.findIndex((other) => other.group === one.group) === index);
const folder = (of: Resource): string => (of.group ? `apis/${groupVersion(of)}` : `api/${of.version}`);

/** What clients ask before they begin: versions, kinds, and as much OpenAPI as kubectl's apply insists on. */
export function discovery(path: string): object | undefined {
  if (path === "/version") return { major: "1", minor: "36", gitVersion: "v1.36.0-countersign-testing", platform: "node" };
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") return { kind: "APIGroupList", apiVersion: "v1", groups: groups.filter((of) => of.group).map(groupOf) };
  if (path === "/openapi/v3") {
    return { paths: Object.fromEntries(groups.map((of) => [folder(of), { serverRelativeURL: `/openapi/v3/${folder(of)}` }])) };
  }
  const own = groups.find((of) => path === `/${folder(of)}` || path === `/openapi/v3/${folder(of)}`);
  if (own === undefined) return groups.filter((of) => of.group && path === `/apis/${of.group}`).map(groupOf)[0];
  const kinds = resources.filter((one) => one.group === own.group);
  return path.startsWith("/openapi") ? openApi(own, kinds) : resourceList(own, kinds);
}

function groupOf(of: Resource): object {
  const version = { groupVersion: groupVersion(of), version: of.version };
  return { kind: "APIGroup", apiVersion: "v1", name: of.group, versions: [version], preferredVersion: version };
}

function resourceList(of: Resource, kinds: readonly Resource[]): object {
  const entries = kinds.flatMap(({ plural, kind, namespaced, shortNames, status }) => [
    { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, ...(shortNames ? { shortNames } : {}) },
    ...(status ? [{ name: `${plural}/status`, singularName: "", namespaced, kind, verbs: ["get", "patch", "update"] }] : []),
  ]);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: groupVersion(of), resources: entries };
}

/** kubectl looks for one thing here: that PATCH of the kind knows the parameter fieldValidation, so that it need not check fields itself. */
function openApi(of: Resource, kinds: readonly Resource[]): object {
  const parameters = ["fieldManager", "fieldValidation", "force"].map((name) => ({ name, in: "query", schema: { type: "string" } }));
  const paths = kinds.map(({ group, version, kind, plural, namespaced }) => {
    const patch = {
      parameters,
      responses: {},
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group, version, kind },
    };
    return [`/${folder(of)}/${namespaced ? "namespaces/{namespace}/" : ""}${plural}/{name}`, { patch }];
  });
  return { openapi: "3.0.0", info: { title: "Kubernetes", version: "v1.36.0" }, paths: Object.fromEntries(paths) };
}
