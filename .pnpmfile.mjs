// A Node.js of our own, fetched from the npm registry only where the host's is too old.
const oldestNode = "24.15.0";
const listOf = (value) => (typeof value === "string" ? [value] : value);

export const hooks = {
  readPackage(pkg) {
    if (!/^node-(linux|win|darwin|bin-darwin)-(x64|arm64)$/.test(pkg.name)) return pkg;
    pkg.os = listOf(pkg.os); // published as strings, which the lockfile would drop
    pkg.cpu = listOf(pkg.cpu);
    pkg.engines = { node: `<${oldestNode} || ${pkg.version}` }; // the second arm keeps it when it runs the install itself
    return pkg;
  },
};
