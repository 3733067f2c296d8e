import { availableParallelism } from "node:os";
import { agentFor, type Load, load, type Request, send } from "../lib/load.ts";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { significant, spread } from "../lib/stats.ts";

const connections = 16;

/**
 * Requests per second and their latencies, through the sandbox's proxy with TLS, on connections that are kept: a resource
 * from Resource Manager, a secret from its vault, a word from the model. Without throttling. One process sends them, which
 * on few cores is part of the limit.
 */
export async function requests(place: Place): Promise<Finding[]> {
  const { sandbox, say, signal } = place;
  await place.kiln("up", "dev", "--yes", "--json");
  await sandbox.control("POST", "/settings", { throttling: false });
  const { proxy = "", caCertificate = "" } = await sandbox.status();
  const agent = agentFor({ proxy, caFile: caCertificate }, connections);
  try {
    const targets = await targetsOf(place, (request) => send(agent, request));
    const rounds = place.quick ? 2 : 4;
    const found = new Map<string, Load[]>(targets.map(({ name }) => [name, []]));
    // The first round warms the sandbox and the connections.
    for (let round = 0; round <= rounds; round++) {
      for (const { name, request } of targets) {
        const forMs = round === 0 || place.quick ? 1_000 : 3_000;
        const result = await load(agent, request, { connections, forMs, atMost: 20_000, signal });
        say(
          `${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}: ${name} ${Math.round(result.perSecond)}/s`,
        );
        if (round > 0) found.get(name)?.push(result);
      }
    }
    return targets.map(({ name, what }) => findingOf(name, what, found.get(name) ?? []));
  } finally {
    agent.destroy();
    await sandbox.control("POST", "/settings", { throttling: true });
  }
}

function findingOf(name: string, what: string, loads: readonly Load[]): Finding {
  const { median, min, max } = spread(loads.map(({ perSecond }) => perSecond));
  return {
    name: `requests-${name}`,
    unit: "requests/s",
    value: median,
    target: null,
    sidesIn: "requests/s; p50 and p99 in ms",
    a: {
      what,
      median,
      min,
      max,
      p50: spread(loads.map(({ p50 }) => p50)).median,
      p99: spread(loads.map(({ p99 }) => p99)).median,
      p99Max: significant(Math.max(...loads.map(({ p99 }) => p99))),
      requests: loads.reduce((sum, { requests }) => sum + requests, 0),
      connections,
      cores: availableParallelism(),
    },
    b: null,
    runs: loads.length,
  };
}

interface Target {
  readonly name: string;
  readonly what: string;
  readonly request: Request;
}

async function targetsOf(
  { sandbox, kiln }: Place,
  ask: (request: Request) => Promise<{ body: string }>,
): Promise<Target[]> {
  const { document } = await kiln("status", "dev", "--json");
  const { resources, outputs } = environmentOf(document);
  const bearer = async (audience: string): Promise<Record<string, string>> => {
    const { accessToken } = (await sandbox.control("POST", "/token", {
      principal: "owner",
      audience,
      seconds: 3600,
    })) as { accessToken: string };
    return { authorization: `Bearer ${accessToken}` };
  };
  const vault = resources.find(({ id }) => /\/vaults\/[^/]+$/i.test(id))?.id;
  if (vault === undefined) throw new Error("the environment has no vault");
  const arm: Request = {
    url: `https://management.azure.com${vault}?api-version=2023-07-01`,
    method: "GET",
    headers: await bearer("https://management.azure.com"),
  };
  const secret: Request = {
    url: `${outputs.keyVaultSecretUri}?api-version=7.4`,
    method: "GET",
    headers: await bearer("https://vault.azure.net"),
  };
  const key = (JSON.parse((await ask(secret)).body) as { value: string }).value;
  const chat: Request = {
    url: `${outputs.openaiEndpoint}openai/deployments/${outputs.deploymentName}/chat/completions?api-version=2024-10-21`,
    method: "POST",
    headers: { "api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Say a word." }] }),
  };
  return [
    { name: "arm", what: "GET of a vault from Resource Manager", request: arm },
    { name: "secret", what: "GET of a secret from its vault", request: secret },
    { name: "chat", what: "POST of a chat completion to the model", request: chat },
  ];
}

interface Known {
  readonly resources: readonly { readonly id: string }[];
  readonly outputs: Readonly<Record<string, string>>;
}

function environmentOf(document: Readonly<Record<string, unknown>>): Known {
  const systems = document.systems as { resources: { id: string }[] }[];
  return {
    resources: systems.flatMap(({ resources }) => resources),
    outputs: document.outputs as Record<string, string>,
  };
}
