/** A registry of Amazon, by its host alone: which account and region, and where that region's services answer. */
export interface EcrHost {
  readonly region: string;
  /** "amazonaws.com" or "amazonaws.com.cn". */
  readonly domain: string;
  readonly fips: boolean;
}

/** "<account>.dkr.ecr.<region>.amazonaws.com": the whole host, so that a look-alike never sees a token. */
export function ecrHost(registry: string): EcrHost | undefined {
  const [, fips, region, domain] =
    /^\d{12}\.dkr\.ecr(-fips)?\.([a-z]{2,4}(?:-[a-z]+)+-\d)\.(amazonaws\.com(?:\.cn)?)$/.exec(registry) ?? [];
  return region && domain ? { region, domain, fips: fips !== undefined } : undefined;
}

/** Container Registry and Artifact Registry. */
export const isGarHost = (registry: string): boolean => /^(?:[a-z0-9-]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/.test(registry);

/** Tokens for Azure's registries are made for one audience in each of its clouds. */
const acrAudiences: Readonly<Record<string, string>> = {
  io: "https://containerregistry.azure.net",
  cn: "https://management.chinacloudapi.cn",
  us: "https://management.usgovcloudapi.net",
};

/** The audience for which "<name>.azurecr.io" wants a token; undefined: no such host. */
export function acrAudience(registry: string): string | undefined {
  const [, cloud = ""] = /^[a-z0-9-]{5,63}\.azurecr\.(io|cn|us)$/.exec(registry) ?? [];
  return Object.hasOwn(acrAudiences, cloud) ? acrAudiences[cloud] : undefined;
}
