import type colors from "picocolors";
import { factLines } from "./facts.ts";
import type { Inspected, Inspection } from "./inspect-image.ts";
import { printable } from "./printable.ts";

type Paint = ReturnType<typeof colors.createColors>;

/** A tree: the image, the places where something lies, what lies there, and what it says. */
export function inspectionText({ image, resolvedFrom, attached }: Inspection, paint: Paint): string {
  const { bold, dim, yellow } = paint;
  const head = `${bold(printable(image))}${resolvedFrom === undefined ? "" : dim(`  (the tag ${printable(resolvedFrom)} stands for it now)`)}\n`;
  if (attached.length === 0) return `${head}nothing is attached to it, neither by tag nor as a referrer\n`;
  const places = [...Map.groupBy(attached, ({ at }) => at)].map(([at, all]) => ({
    line: `${all[0]?.layout ?? ""} ${dim(printable(shortOf(at)))}`,
    below: all.map((one) => ({
      line: `${bold(printable(one.what))}  ${sizeText(one.size)}`,
      below: linesOf(one).map((line) => ({ line: printable(line), below: [] })),
    })),
  }));
  return `${head}${branches(places, "", dim)}${yellow("not verified")}: what stands here is what it says itself; countersign verify image checks it\n`;
}

interface Branch {
  readonly line: string;
  readonly below: readonly Branch[];
}

function branches(all: readonly Branch[], indent: string, dim: Paint["dim"]): string {
  return all
    .map(({ line, below }, index) => {
      const isLast = index === all.length - 1;
      return `${dim(`${indent}${isLast ? "└── " : "├── "}`)}${line}\n${branches(below, `${indent}${isLast ? "    " : "│   "}`, dim)}`;
    })
    .join("");
}

function linesOf({ key, keyHint, builder, ...facts }: Inspected): readonly string[] {
  const named = key ?? (keyHint === undefined ? undefined : `with the hint ${keyHint}`);
  const signer = facts.certificate ? [] : [`signer  ${named === undefined ? "a key that is not named" : `the key ${named}`}`];
  return [...signer, ...factLines(facts), ...(builder === undefined ? [] : [`builder  ${builder}`])];
}

/** The image's name stands above already. */
const shortOf = (at: string): string => /(?:@|:)(sha256[:-].*)$/.exec(at)?.[1] ?? at;

const sizeText = (bytes: number): string => (bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`);
