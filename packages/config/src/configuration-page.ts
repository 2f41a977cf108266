import { type KeyRow, keys } from "./keys.ts";

/** docs/configuration.md, written from the rows that also read the keys. */
export function configurationPage(): string {
  const rows = Object.values(keys);
  const sections = [
    ["What is attested, how, and where it goes", "artifacts."],
    ["Provenance", "build"],
    ["Storage", "storage."],
    ["Signers", "signers."],
    ["Transparency log", "transparency."],
    ["Which runs", "filter."],
  ] as const;
  return [
    head,
    ...sections.map(([title, prefix]) =>
      section(
        title,
        rows.filter(({ configKey, own }) => !own && configKey.startsWith(prefix)),
      ),
    ),
    section(
      "Keys of Countersign's own",
      rows.filter(({ own }) => own),
      "Tekton Chains ignores these keys, so a ConfigMap with them still works there.",
    ),
  ].join("\n");
}

const head = `<!-- Written by \`npm run docs\` from packages/config/src/keys.ts: change it there. -->

# Configuration

Countersign reads the ConfigMap \`chains-config\` of its namespace with the keys, defaults and rules of Tekton Chains. A change takes effect within
seconds, without a restart. A value that is refused is reported with its key, and the configuration before it stays in force. What Tekton Chains
ignores in silence (unknown keys, \`yes\` where it wants \`true\`) is ignored here too, with a warning.

\`\`\`sh
countersign check-config chains-config.yaml                                                              # before you apply it
kubectl get cm chains-config -n tekton-chains -o yaml | countersign check-config -                       # what is in force
kubectl patch cm chains-config -n tekton-chains -p '{"data":{"artifacts.taskrun.format":"slsa/v2alpha4"}}'
\`\`\`

A value marked with \\* is accepted, but this version has no plug-in for it: what uses it waits, the rest goes on, and nothing is marked as signed or failed
for it.

- text: taken as it is, white space included.
- list: comma-separated, blanks around entries do not count. The empty text \`""\` turns the kind off.
- true or false: \`1 t T TRUE true True\` or \`0 f F FALSE false False\`; anything else is ignored.
- duration: \`90s\`, \`5m\`, \`1h30m\`, or \`never\`.
`;

function section(title: string, rows: readonly KeyRow[], before = ""): string {
  const lines = rows.map((row) => `| \`${row.configKey}\` | ${valuesOf(row)} | ${row.default ? `\`${row.default}\`` : "–"} | ${row.doc} |`);
  return [
    `## ${title}`,
    "",
    ...(before ? [before, ""] : []),
    "| Key | Values | Default | |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

const kinds: Readonly<Record<KeyRow["format"], string>> = {
  text: "text",
  choice: "",
  "go-set": "list",
  "go-bool": "true or false",
  transparency: "",
  "go-duration": "duration",
  count: "number",
};

function valuesOf({ format, allowed = [], notYet = [] }: KeyRow): string {
  const star = (value: string): string => (notYet.includes(value) ? "\\*" : "");
  const values = allowed.map((value) => `\`${value}\`${star(value)}`).join(", ");
  const kind = format === "go-bool" ? kinds[format] + star("true") : kinds[format];
  return [kind, values].filter(Boolean).join(" of ");
}
