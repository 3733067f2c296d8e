import { readFileSync } from "node:fs";
import https from "node:https";
import { text } from "node:stream/consumers";
import type { TestKiln } from "./kiln.ts";

/** Anyone else who works in the same sandbox: requests to ARM with a token of the owner. */
export interface Arm {
  readonly subscriptionId: string;
  /** @param path below the subscription. @returns the body; fails unless the answer is a success */
  send(method: string, path: string, body?: object): Promise<unknown>;
}

/** For the sandbox of a kiln command that runs. */
export async function armOf(kiln: TestKiln): Promise<Arm> {
  const status = (await kiln.run(["sandbox", "status", "--json"])).json() as Record<string, string>;
  const { accessToken } = (await kiln.run(["sandbox", "token", "--json"])).json();
  const { subscriptionId = "", caCertificate = "", proxy = "" } = status;
  const agent = new https.Agent({ ca: readFileSync(caCertificate), proxyEnv: { HTTPS_PROXY: proxy } });
  const ask = (method: string, path: string, body: object | undefined) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const url = `https://management.azure.com/subscriptions/${subscriptionId}${path}`;
      const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
      const request = https.request(url, { method, agent, headers }, (response) => {
        text(response).then((said) => resolve({ status: Number(response.statusCode), body: said }), reject);
      });
      request.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    subscriptionId,
    send: async (method, path, body) => {
      const answer = await ask(method, path, body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
      return answer.body === "" ? undefined : JSON.parse(answer.body);
    },
  };
}
