import { defineConfig } from "tsdown";

/** One config for every package: one file out per file in, declarations from isolatedDeclarations, dependencies left alone. */
export default defineConfig({
  cwd: process.cwd(), // the package, not this file's folder
  entry: ["src/**/*.ts", "!src/**/*.{test,fixture}.ts"],
  format: "esm",
  platform: "node",
  fixedExtension: false, // .js and .d.ts, as publishConfig.exports says
  target: "node22",
  unbundle: true,
  dts: { oxc: true },
  clean: true,
  outDir: "dist",
  logLevel: "warn",
});
