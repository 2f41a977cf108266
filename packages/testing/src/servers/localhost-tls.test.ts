import { get } from "node:https";
import { expect, test } from "vitest";
import { kubeApi } from "./kube-api/kube-api.ts";
import { localhostTls } from "./localhost-tls.ts";
import { misbehave } from "./misbehave.ts";
import { registry } from "./registry.ts";

const status = (url: string, ca?: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false, ...(ca ? { ca } : {}) }, (response) => resolve(response.resume().statusCode)).on("error", reject);
  });

test("all servers speak TLS, to those who trust them", async () => {
  const [api, images] = await Promise.all([kubeApi({ tls: localhostTls }), registry({ tls: localhostTls })]);
  const proxy = await misbehave(images.url, { tls: localhostTls, targetCa: localhostTls.cert });
  for (const url of [`${api.url}/version`, `${images.url}/v2/`, `${proxy.url}/v2/`]) {
    expect(url).toMatch(/^https:/);
    expect(await status(url, localhostTls.cert)).toBe(200);
    await expect(status(url)).rejects.toThrow("self-signed certificate");
  }
  const distrustful = await misbehave(images.url);
  await expect(fetch(`${distrustful.url}/v2/`)).rejects.toThrow();
  await Promise.all([api, images, proxy, distrustful].map((server) => server.close()));
});
