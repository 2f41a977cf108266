/** Origin and path of a URL: nothing of its userinfo, query or fragment. */
export function placeOf(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

const hidden = "[redacted]";

const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, hidden],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [
    /\b((?:proxy-)?authorization|cookie|set-cookie|x-vault-token)(["']?\s*[:=]\s*["']?)(?!(?:bearer|basic) \[)[^"'\r\n,}]+/gi,
    `$1$2${hidden}`,
  ],
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`],
  [/([?&][\w.~%-]+=)[^&\s#"']+/g, `$1${hidden}`],
  [
    /(["']?\b(?:password|passwd|secret|token|access_?token|refresh_?token|id_?token|identitytoken|auth|api_?key)["']?\s*[:=]\s*["']?)(?!\[)[^\s"',;&}]+/gi,
    `$1${hidden}`,
  ],
];

/** Text of unknown origin without what looks like a credential: tokens, keys, passwords, userinfo, query values. */
export const redact = (text: string): string => secrets.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text);
