/** What a 401 asks for (RFC 9110 section 11.6.1, RFC 6750, the token service of the distribution specification). */
export type Challenge =
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: string; readonly service: string | undefined };

/** Of several challenges the bearer token is preferred: it is limited in time and scope. Undefined where there is none we know. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const challenges = schemesOf(header ?? "");
  const bearer = challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.get("realm"));
  if (bearer) return { kind: "bearer", realm: bearer.parameters.get("realm") ?? "", service: bearer.parameters.get("service") };
  return challenges.some(({ scheme }) => scheme === "basic") ? { kind: "basic" } : undefined;
}

/** Nobody's challenge is longer, and the expression below must not be fed for ever. */
const maxLength = 8_192;

interface Scheme {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

/** `Bearer realm="…",service="…", Basic realm=x`: a word that is followed by no "=" starts the next scheme. */
function schemesOf(header: string): readonly Scheme[] {
  const schemes: Scheme[] = [];
  for (const [, name, quoted, plain, scheme] of header
    .slice(0, maxLength)
    .matchAll(/(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|(?<![\w-])([\w-]+)(?=\s|$|,)/g)) {
    if (scheme) schemes.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    else if (name) schemes.at(-1)?.parameters.set(name.toLowerCase(), plain ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
  }
  return schemes;
}
