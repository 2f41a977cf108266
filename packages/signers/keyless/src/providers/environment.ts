import { missing, type Provider, type Surroundings } from "../provider.ts";

/** SIGSTORE_ID_TOKEN. A process's environment does not change, so its token serves for as long as it is valid and no longer. */
export function environmentProvider({ env }: Pick<Surroundings, "env">): Provider {
  return {
    name: "envvar",
    enabled: async () => env["SIGSTORE_ID_TOKEN"] !== undefined,
    async token() {
      const token = env["SIGSTORE_ID_TOKEN"]?.trim();
      if (!token) throw missing("the environment variable SIGSTORE_ID_TOKEN is empty: put an OIDC identity token into it");
      return { token, source: "SIGSTORE_ID_TOKEN", fixed: true };
    },
  };
}
