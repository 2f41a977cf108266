import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { HttpOptions } from "./exchange.ts";

/**
 * Whom to trust, made once: parsing some hundred CAs for each connection would cost more than the handshake.
 * `ca` stands alone. Otherwise: Node's CAs, the system's, SSL_CERT_FILE, SSL_CERT_DIR and caFile together.
 */
export function secureContextFrom({ ca, clientCertificate, env = process.env }: HttpOptions, more: readonly string[]): SecureContext {
  const own = clientCertificate ?? {};
  if (ca !== undefined) return createSecureContext({ ...own, ca });
  const files = [...filesOf(env["SSL_CERT_FILE"]), ...filesIn(env["SSL_CERT_DIR"]), ...more];
  return createSecureContext({ ...own, ca: [...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...files])] });
}

/** As OpenSSL and Go treat them: what is not there, or no certificate, counts for nothing. */
const filesOf = (file: string | undefined): readonly string[] => (file ? certificates(file) : []);
const filesIn = (folders: string | undefined): readonly string[] =>
  (folders ?? "").split(":").flatMap((folder) => (folder ? listed(folder).flatMap((name) => certificates(join(folder, name))) : []));

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function certificates(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  } catch {
    return [];
  }
}
