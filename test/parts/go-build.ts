import { chmodSync, existsSync, readdirSync, renameSync } from "node:fs";
import { type GoRecipe, type PartName, recipeFolder } from "./recipes.ts";
import { has, run } from "./run.ts";
import { shelve } from "./shelve.ts";
import { shelfOf } from "./where.ts";

/** Whatever the surroundings say of modules, targets and C compilers: these builds are the same everywhere. */
function goEnvironment(): NodeJS.ProcessEnv {
  const { GOOS: _, GOARCH: __, ...rest } = process.env;
  // Not empty, since an empty GOFLAGS gives way to the one that `go env -w` wrote.
  return { ...rest, GOFLAGS: "-mod=readonly", GOWORK: "off", GO111MODULE: "on", CGO_ENABLED: "0" };
}

export async function buildWithGo(name: PartName, recipe: GoRecipe): Promise<void> {
  const env = goEnvironment();
  const cwd = recipeFolder(recipe);
  if (!(await has("go", "version"))) throw new Error("there is no Go compiler in PATH: install Go 1.26 or newer");
  const compiler = (await run("go", ["env", "GOVERSION"], { cwd, env })).trim();
  const place = `${shelfOf(name)}/${compiler}`;
  if (existsSync(place)) return;
  await shelve(place, async (folder) => {
    await run("go", ["build", "-trimpath", "-buildvcs=false", "-o", `${folder}/`, "-ldflags", recipe.ldflags, recipe.target], {
      cwd,
      env,
      gently: true,
    });
    const [built] = readdirSync(folder);
    if (built === undefined) throw new Error(`go build left nothing for ${recipe.target}`);
    if (built !== name) renameSync(`${folder}/${built}`, `${folder}/${name}`);
    chmodSync(folder, 0o755);
  });
}
