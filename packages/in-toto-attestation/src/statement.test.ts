import { describe, expect, test } from "vitest";
import { checkSlsaV1, checkSlsaV02, parseStatement } from "./index.ts";

const digest = { sha256: "a".repeat(64) };
const statement = (more: object): string =>
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://example.com/p",
    subject: [{ name: "a", digest }],
    ...more,
  });

describe("parseStatement", () => {
  test("reads v0.1 and v1, with or without subjects, and keeps what it does not know", () => {
    expect(parseStatement(statement({ extra: 1 }))).toMatchObject({ extra: 1, subject: [{ name: "a" }] });
    expect(parseStatement(statement({ _type: "https://in-toto.io/Statement/v0.1" })).subject).toHaveLength(1);
    expect(parseStatement(statement({ subject: undefined })).subject).toBeUndefined();
    expect(parseStatement(statement({ subject: [{ uri: "x", digest }] })).subject).toHaveLength(1);
  });

  test.each([
    ["{", "not JSON"],
    ["[]", "the statement must be an object"],
    [statement({ _type: "https://in-toto.io/Statement/v2" }), "_type"],
    [statement({ predicateType: "" }), "predicateType must be a text"],
    [statement({ predicate: [] }), "predicate must be an object"],
    [statement({ subject: {} }), "subject must be a list"],
    [statement({ subject: [{ name: "a" }] }), "subject[0].digest must be an object"],
    [statement({ subject: [{ name: "a", digest: { sha256: 1 } }] }), "subject[0].digest.sha256 must be a text"],
    [statement({ subject: [{ name: 1, digest }] }), "subject[0].name must be a text"],
    [statement({ _type: "https://in-toto.io/Statement/v0.1", subject: [{ digest }] }), "subject[0].name must be a text"],
  ])("refuses %s", (text, message) => {
    expect(() => parseStatement(text)).toThrow(new RegExp(message.replace(/[[\]().]/g, "\\$&")));
    expect(() => parseStatement(text)).toThrow(TypeError);
  });
});

describe("checkSlsaV02", () => {
  const sound = {
    builder: { id: "b" },
    buildType: "t",
    invocation: { configSource: { uri: "u", digest, entryPoint: "e" } },
    metadata: { buildStartedOn: "2026-01-01T00:00:00.5Z", completeness: { materials: false }, reproducible: true },
    materials: [{ uri: "u", digest }, {}],
  };
  test("accepts what the spec allows", () => expect(checkSlsaV02(sound)).toBe(sound));
  test.each([
    [{ builder: undefined }, "predicate.builder"],
    [{ buildType: 1 }, "predicate.buildType"],
    [{ invocation: { configSource: { uri: 1 } } }, "predicate.invocation.configSource.uri"],
    [{ metadata: { buildStartedOn: "yesterday" } }, "predicate.metadata.buildStartedOn"],
    [{ metadata: { completeness: { materials: "no" } } }, "predicate.metadata.completeness.materials"],
    [{ materials: [{ digest: "x" }] }, "predicate.materials[0].digest"],
  ])("names the place of %j", (fault, place) => {
    expect(() => checkSlsaV02({ ...sound, ...fault })).toThrow(place);
  });
});

describe("checkSlsaV1", () => {
  const buildDefinition = { buildType: "t", externalParameters: {}, resolvedDependencies: [{ uri: "u", digest }] };
  const runDetails = {
    builder: { id: "b" },
    metadata: { startedOn: "2026-01-01T00:00:00Z" },
    byproducts: [{ name: "n", content: "eA==" }],
  };
  test("accepts what the spec allows", () => expect(checkSlsaV1({ buildDefinition, runDetails })).toEqual({ buildDefinition, runDetails }));
  test.each([
    [{ buildDefinition: undefined }, "predicate.buildDefinition"],
    [{ buildDefinition: { ...buildDefinition, externalParameters: undefined } }, "predicate.buildDefinition.externalParameters"],
    [
      { buildDefinition: { ...buildDefinition, resolvedDependencies: [{ uri: 1 }] } },
      "predicate.buildDefinition.resolvedDependencies[0].uri",
    ],
    [{ runDetails: { ...runDetails, builder: { id: 1 } } }, "predicate.runDetails.builder.id"],
    [{ runDetails: { ...runDetails, metadata: { finishedOn: 5 } } }, "predicate.runDetails.metadata.finishedOn"],
    [{ runDetails: { ...runDetails, byproducts: {} } }, "predicate.runDetails.byproducts"],
  ])("names the place of %j", (fault, place) => {
    expect(() => checkSlsaV1({ buildDefinition, runDetails, ...fault })).toThrow(place);
  });
});
