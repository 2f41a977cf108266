import { asked, member, missing, type Provider, type Surroundings } from "../provider.ts";

const source = "GitHub Actions";

/** The token service of a GitHub Actions job that has the permission `id-token: write`. */
export function gitHubActionsProvider(within: Surroundings): Provider {
  const place = (): { url: URL; bearer: string } | undefined => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = "" } = within.env;
    return bearer !== "" && URL.canParse(url) ? { url: new URL(url), bearer } : undefined;
  };
  return {
    name: "github-actions",
    enabled: async () => place() !== undefined,
    async token(call) {
      const at = place();
      if (!at) throw missing("this is no GitHub Actions job that may ask for identity tokens: give it the permission `id-token: write`");
      at.url.searchParams.set("audience", within.audience);
      const headers = { authorization: `Bearer ${at.bearer}`, accept: "application/json" };
      const fix = "give the job the permission `id-token: write`";
      return { token: member(await asked(within, { url: at.url, headers, source, fix }, call), "value", source), source };
    },
  };
}
