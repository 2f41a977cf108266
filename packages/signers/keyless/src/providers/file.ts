import { open } from "node:fs/promises";
import { missing, type Provider } from "../provider.ts";
import type { IdentityToken } from "../token-source.ts";

/** Where cosign and Tekton Chains look for a projected service-account token. */
export const projectedTokenFile = "/var/run/sigstore/cosign/oidc-token";

const maxBytes = 64 * 1024;

/** Read anew each time: kubelet replaces a projected token long before it expires. White space around it does not count. */
export function fileProvider(name: string, path: string): Provider {
  return {
    name,
    enabled: async () => (await textOf(path)) !== undefined,
    async token(): Promise<IdentityToken> {
      const source = `the file ${path}`;
      const token = (await textOf(path))?.trim();
      if (token === undefined)
        throw missing(
          `${source} is not there or not readable: mount a projected service-account token with the audience sigstore there, or name another file in signers.x509.identity.token.file`,
        );
      if (token === "") throw missing(`${source} is empty: there must be an OIDC identity token in it`);
      return { token, source, cheap: true };
    },
  };
}

async function textOf(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  try {
    const read = await file?.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return read?.buffer.subarray(0, read.bytesRead).toString();
  } catch {
    return undefined; // a directory, say
  } finally {
    await file?.close();
  }
}
