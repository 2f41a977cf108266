/** `</v2/x/tags/list?last=b>; rel="next"` (RFC 8288); only a path of the same registry is followed. */
export function nextPage(link: string | undefined): string | undefined {
  const [, target] = /<([^<>]+)>\s*;[^,<]*rel="?next"?/i.exec(link ?? "") ?? [];
  return target?.startsWith("/") && !target.startsWith("//") ? target : undefined;
}
