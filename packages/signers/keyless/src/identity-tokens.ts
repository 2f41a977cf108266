import { type Call, CountersignError } from "@countersign/core";
import type { Http } from "@countersign/http";
import type { Provider } from "./provider.ts";
import { buildkiteProvider } from "./providers/buildkite-agent.ts";
import { environmentProvider } from "./providers/environment.ts";
import { fileProvider, projectedTokenFile as usualTokenFile } from "./providers/file.ts";
import { gitHubActionsProvider } from "./providers/github-actions.ts";
import { googleImpersonationProvider, googleWorkloadProvider } from "./providers/google.ts";
import { defaultWorkloadSocket, spiffeProvider } from "./providers/spiffe.ts";
import type { IdentityToken, TokenSource } from "./token-source.ts";

export interface IdentityTokensOptions {
  /** As signers.x509.fulcio.provider names it; "" or absent: whatever is there. */
  readonly provider?: string | undefined;
  /** As signers.x509.identity.token.file. */
  readonly file?: string | undefined;
  readonly http: Pick<Http, "request">;
  /** Default process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whom the tokens are for. Default "sigstore", which Fulcio expects. */
  readonly audience?: string;
  /** Where things lie on other machines than usual: for tests. */
  readonly places?: {
    readonly projectedTokenFile?: string;
    readonly productNameFile?: string;
    readonly workloadSocket?: string;
    readonly credentialsUrl?: string;
  };
}

/** The names that Tekton Chains documents beside those that it knows. */
const aliases: Readonly<Record<string, string>> = { google: "google-workload-identity", github: "github-actions" };

/**
 * Where identity tokens come from, as Tekton Chains chooses: a configured file; else the provider that is named; else the first of all
 * that is there and gives one. Chosen anew for each token, so that a file which is mounted late is found.
 */
export function identityTokens(options: IdentityTokensOptions): TokenSource {
  const { provider: wanted = "", file = "" } = options;
  const providers = providersOf(options);
  const known = Object.hasOwn(aliases, wanted) ? aliases[wanted] : wanted;
  if (file !== "" && ["", "filesystem", "filesystem-custom-path"].includes(wanted)) {
    const configured = fileProvider("filesystem-custom-path", file);
    return (call) => configured.token(call);
  }
  if (wanted === "") return (call) => firstOf(providers, call);
  const named = providers.find(({ name }) => name === known);
  if (named) return (call) => named.token(call);
  const names = [...providers.map(({ name }) => name), ...Object.keys(aliases)].sort().join(", ");
  return () =>
    Promise.reject(
      new CountersignError("sign.provider-unknown", `signers.x509.fulcio.provider names "${wanted}", which is none of ${names}`, {
        retry: "hold",
      }),
    );
}

/** In the order in which Tekton Chains tries them. */
function providersOf({ http, file, env = process.env, audience = "sigstore", places = {} }: IdentityTokensOptions): readonly Provider[] {
  const within = { http, env, audience };
  const usual = places.projectedTokenFile ?? usualTokenFile;
  const google = {
    ...within,
    productNameFile: places.productNameFile ?? "/sys/class/dmi/id/product_name",
    credentialsUrl: places.credentialsUrl ?? "https://iamcredentials.googleapis.com",
  };
  return [
    fileProvider("filesystem", usual),
    environmentProvider(within),
    gitHubActionsProvider(within),
    buildkiteProvider(within),
    spiffeProvider({ ...within, defaultSocket: places.workloadSocket ?? defaultWorkloadSocket }),
    fileProvider("filesystem-custom-path", file || usual),
    googleWorkloadProvider(google),
    googleImpersonationProvider(google),
  ];
}

/** The last failure speaks when nobody gave a token. */
async function firstOf(providers: readonly Provider[], call: Call): Promise<IdentityToken> {
  let last: unknown;
  for (const provider of providers) {
    if (!(await provider.enabled())) continue;
    try {
      return await provider.token(call);
    } catch (error) {
      call.signal.throwIfAborted();
      last = error;
    }
  }
  throw last ?? nowhere();
}

const nowhere = (): CountersignError =>
  new CountersignError(
    "sign.token-missing",
    `keyless signing is configured, and nothing here gives an identity token: mount a projected service-account token with the audience sigstore at ${usualTokenFile}, or set signers.x509.identity.token.file or signers.x509.fulcio.provider`,
    { retry: "hold" },
  );
