import { asked, member, missing, type Provider, type Surroundings } from "../provider.ts";

const source = "the Buildkite agent API";

/** The agent API of a Buildkite job, as the agent's own command asks it. */
export function buildkiteProvider(within: Surroundings): Provider {
  return {
    name: "buildkite-agent",
    enabled: async () => within.env["BUILDKITE_AGENT_ACCESS_TOKEN"] !== undefined,
    async token(call) {
      const {
        BUILDKITE_AGENT_ACCESS_TOKEN: access = "",
        BUILDKITE_JOB_ID: job = "",
        BUILDKITE_AGENT_ENDPOINT: endpoint = "https://agent.buildkite.com/v3",
      } = within.env;
      if (access === "" || job === "")
        throw missing("this is no Buildkite job: BUILDKITE_AGENT_ACCESS_TOKEN and BUILDKITE_JOB_ID must both be in the environment");
      const url = `${endpoint.replace(/\/+$/, "")}/jobs/${encodeURIComponent(job)}/oidc/tokens`;
      const headers = { authorization: `Token ${access}`, "content-type": "application/json" };
      const body = JSON.stringify({ audience: within.audience });
      const fix = "check BUILDKITE_AGENT_ENDPOINT and that the job still runs";
      return { token: member(await asked(within, { method: "POST", url, headers, body, source, fix }, call), "token", source), source };
    },
  };
}
