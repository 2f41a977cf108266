import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { session } from "./session.fixture.ts";

const person = session();
afterAll(() => person[Symbol.dispose]());
const commands = ["statement", "attest", "verify", "keys", "check-config"];

test("--help names every command, with examples and exit codes", async () => {
  const { code, out, err } = await person.run(["--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  for (const word of [...commands, "Examples:", "Exit codes:"]) expect(out).toContain(word);
});

test.each(["statement", "attest", "verify image", "verify run", "keys generate", "check-config"])(
  "%s --help teaches with examples",
  async (words) => {
    const { code, out } = await person.run([...words.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(out).toContain(`countersign ${words}`);
    expect(out).toContain("Examples:");
  },
);

test.each([
  [[]],
  [["verify"]],
  [["verfy"]],
  [["verify", "image", "x"]],
  [["verify", "image", "x", "--key"]],
  [["check-config"]],
  [["check-config", "a", "b"]],
  [["check-config", "a", "-o", "xml"]],
  [["--bogus"]],
])("%j is a usage error: 2, on stderr, with the way to help", async (args) => {
  const { code, out, err } = await person.run(args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/--help/);
});

test("a slip is answered with what was meant", async () => {
  expect((await person.run(["verfy"])).err).toContain("verify");
});

test("the version", async () => {
  expect(await person.run(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
});

test("a failure is one sentence, and JSON where JSON was asked for", async () => {
  const plain = await person.run(["check-config", person.path("none")]);
  expect(plain).toEqual({ code: 3, out: "", err: `countersign: ${person.path("none")} cannot be read: there is no such file\n` });
  for (const form of [["-o", "json"], ["--output=json"], ["-ojson"]]) {
    const { code, out } = await person.run(["check-config", person.path("none"), ...form]);
    expect({ code, error: JSON.parse(out).error.code }).toEqual({ code: 3, error: "read.no-file" });
  }
});

describe("the program itself", () => {
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [new URL("bin.ts", import.meta.url).pathname, ...args], { stdio: "pipe" });
  const ended = (child: ReturnType<typeof start>) => new Promise<number | null>((resolve) => child.on("close", resolve));

  test("answers, and loads no command for it", async () => {
    const child = start(["--version"]);
    const [out, code] = await Promise.all([text(child.stdout), ended(child)]);
    expect({ out, code }).toEqual({ out: "0.1.0\n", code: 0 });
  });

  test("a reader that goes away changes nothing", async () => {
    const child = start(["check-config", person.write("bad.yaml", "artifacts.taskrun.format: nope")]);
    child.stdout.destroy();
    const [err, code] = await Promise.all([text(child.stderr), ended(child)]);
    expect({ err, code }).toEqual({ err: "", code: 1 });
  });

  test("Ctrl-C ends what is under way, with 130", async () => {
    const arrived = Promise.withResolvers<void>();
    const silent = createServer(() => arrived.resolve());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    await person.run(["keys", "generate", person.path("keys"), "--random-password"]);
    const image = `127.0.0.1:${(silent.address() as AddressInfo).port}/app:1`;
    const child = start(["verify", "image", image, "--insecure", "--key", person.path("keys/cosign.pub")]);
    const answered = ended(child);
    await arrived.promise;
    child.kill("SIGINT");
    expect(await answered).toBe(130);
    silent.closeAllConnections();
    silent.close();
  }, 20_000);
});
