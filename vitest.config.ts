import { defineConfig } from "vitest/config";

const never = ["**/node_modules/**", "**/dist/**"];

/** unit: beside the sources, no server but our own. real: needs the parts that `npm run parts` brings. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          isolate: false, // no test may depend on a fresh module, and a hundred fresh graphs cost half of the time
          include: ["{packages,apps}/**/src/**/*.test.ts", "test/house.test.ts", "test/parts/*.test.ts"],
          exclude: never,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/{conformance,integration}/**/*.test.ts"],
          exclude: never,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "real",
          include: ["test/real/**/*.test.ts"],
          exclude: never,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
