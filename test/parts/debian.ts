import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { debianMirror } from "./debian-mirror.ts";
import type { DebianRecipe, PartName } from "./recipes.ts";
import { has, run } from "./run.ts";
import { shelve } from "./shelve.ts";
import { shelfOf } from "./where.ts";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Debian's packages, unpacked and never installed: apt works on lists and caches of its own, so neither root nor the system's apt is touched. */
export interface Debian {
  fetch(name: PartName, recipe: DebianRecipe): Promise<void>;
  close(): void;
}

export async function openDebian(): Promise<Debian> {
  if (!(await has("apt-get", "--version")) || !(await has("dpkg-deb", "--version"))) {
    throw new Error("this is no Debian-like system (apt-get and dpkg-deb are needed to fetch and unpack its packages)");
  }
  if (!existsSync(keyring)) throw new Error(`${keyring} is missing: install the package debian-archive-keyring`);
  const mirror = debianMirror();
  const own = mkdtempSync(`${tmpdir()}/countersign-apt-`);
  for (const folder of ["lists/partial", "archives/partial", "log"]) mkdirSync(`${own}/${folder}`, { recursive: true });
  writeFileSync(`${own}/sources.list`, `deb [signed-by=${keyring}] ${mirror} sid main\n`);
  const settings = {
    "Dir::Etc::sourcelist": `${own}/sources.list`,
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::State::lists": `${own}/lists`,
    "Dir::Cache::archives": `${own}/archives`,
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "Dir::Log": `${own}/log`,
    // apt's own unprivileged user cannot enter this folder.
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "APT::Update::Error-Mode": "any",
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const apt = (args: readonly string[], cwd = own): Promise<string> => run("apt-get", [...args, "-q", ...options], { cwd });
  const close = (): void => rmSync(own, { recursive: true, force: true });
  await apt(["update"]).catch((error: Error) => {
    close();
    throw new Error(`the package list of ${mirror} sid could not be had (${error.message})`);
  });
  return { fetch, close };

  async function fetch(name: PartName, recipe: DebianRecipe): Promise<void> {
    const folder = mkdtempSync(`${own}/deb-`);
    await apt(["download", `${recipe.package}=${recipe.pin}`], folder);
    const [file] = readdirSync(folder).filter((entry) => entry.endsWith(".deb"));
    if (file === undefined) throw new Error(`apt-get download left no file for ${recipe.package}=${recipe.pin}`);
    const version = (await run("dpkg-deb", ["--field", `${folder}/${file}`, "Version"])).trim();
    await run("dpkg-deb", ["--extract", `${folder}/${file}`, `${folder}/unpacked`]);
    await shelve(`${shelfOf(name)}/${version}`, (place) => {
      copyFileSync(`${folder}/unpacked/${recipe.binary}`, `${place}/${name}`);
      chmodSync(`${place}/${name}`, 0o755);
      chmodSync(place, 0o755);
    });
  }
}
