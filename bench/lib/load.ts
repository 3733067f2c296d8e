import { readFileSync } from "node:fs";
import https from "node:https";
import { quantile } from "./stats.ts";

/** One request, sent over and over. */
export interface Request {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a stretch of load gave. */
export interface Load {
  readonly perSecond: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly requests: number;
}

/** How one gets to the sandbox. */
export interface Way {
  readonly proxy: string;
  readonly caFile: string;
}

/** An agent that keeps its connections through the sandbox's proxy, as SDK clients do. */
export function agentFor(way: Way, connections: number): https.Agent {
  return new https.Agent({
    keepAlive: true,
    maxSockets: connections,
    ca: [readFileSync(way.caFile, "utf8")],
    proxyEnv: { HTTPS_PROXY: way.proxy },
  });
}

/**
 * Sends a request over and over on several connections, each sending its next when it has its answer.
 * @throws Error on the first answer that is no success
 */
export async function load(
  agent: https.Agent,
  request: Request,
  options: { connections: number; forMs: number; atMost: number; signal: AbortSignal },
): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  const until = began + options.forMs;
  let sent = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < until && sent < options.atMost) {
      options.signal.throwIfAborted();
      sent++;
      latencies.push((await send(agent, request)).ms);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, client));
  const seconds = (performance.now() - began) / 1000;
  return {
    perSecond: latencies.length / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    requests: latencies.length,
  };
}

/** Sends a request once. @throws Error when the answer is no success */
export function send(agent: https.Agent, request: Request): Promise<{ ms: number; body: string }> {
  const { url, method, headers, body } = request;
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = https.request(url, { agent, method, headers }, (response) => {
      let said = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      response.on("error", reject).on("end", () => {
        const ms = performance.now() - began;
        if (response.statusCode === 200) resolve({ ms, body: said });
        else reject(new Error(`${method} ${url} was answered ${response.statusCode}: ${said.slice(0, 300)}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
