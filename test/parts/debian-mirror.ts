import { existsSync, readdirSync, readFileSync } from "node:fs";

const folder = "/etc/apt";

/** The mirror this system itself takes Debian from, whatever its suite; COUNTERSIGN_DEBIAN_MIRROR names another. */
export function debianMirror(env: NodeJS.ProcessEnv = process.env): string {
  const named = env["COUNTERSIGN_DEBIAN_MIRROR"] || mirrorIn(sources());
  if (named) return named;
  throw new Error(`${folder} names no mirror of Debian: name one in COUNTERSIGN_DEBIAN_MIRROR, the URL whose folder is "debian"`);
}

function sources(): string {
  const parts = existsSync(`${folder}/sources.list.d`) ? readdirSync(`${folder}/sources.list.d`).sort() : [];
  const files = [`${folder}/sources.list`, ...parts.map((name) => `${folder}/sources.list.d/${name}`)];
  return files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("\n");
}

/** In one-line and in deb822 sources; comments do not count. */
export function mirrorIn(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return /\bhttps?:\/\/\S+\/debian(?=\/?(\s|$))/m.exec(lines.join("\n"))?.[0];
}
