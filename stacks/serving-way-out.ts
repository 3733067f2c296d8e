/** What lies outside the cluster, where nothing is let out of it. */
import { isFetched } from "../components/openshift/model-loader.ts";
import type { ModelSource } from "../components/openshift/model-source.ts";
import type { FieldProblem } from "../components/shared/validation.ts";
import type { ProjectConfig } from "./serving-config.ts";
import { sourceIn } from "./serving-sizes.ts";

const field = "network.egress";

/** The cluster's walls say nothing of what they hold up, and it would be waited for in vain. Pure. */
export function wayOutProblems({
  connections,
  models,
  network,
  pipelineServer,
}: ProjectConfig): FieldProblem[] {
  const opened = (whom: "models" | "all") =>
    (network.egress ?? []).some(({ pods = "all" }) => pods === "all" || pods === whom);
  const problems: FieldProblem[] = [];
  const outside = models.find(({ source, stopped }) => {
    const found = sourceIn(connections, source);
    return !stopped && found !== undefined && isFetched(found) && !isWithin(hostOf(found));
  });
  if (outside !== undefined && !opened("models")) {
    const message = `lets no model out, and ${outside.name} is fetched from outside; give the addresses and ports of its store`;
    problems.push({ field, message });
  }
  if (pipelineServer !== undefined && !opened("all")) {
    const { connection, database } = pipelineServer;
    const storage = sourceIn(connections, { connection, path: "" });
    if (!isWithin(database.host) || (storage !== undefined && !isWithin(hostOf(storage)))) {
      const message = `lets no pipeline out; give the addresses and ports of pipelineServer's database, ${database.host}, and of its storage, for all pods`;
      problems.push({ field, message });
    }
  }
  return problems;
}

/** The host that a model is fetched from, where it is said in the open; undefined elsewhere, and for what has none (`hf://…`). */
function hostOf(source: ModelSource): string | undefined {
  if (source.uri !== undefined) return /^https?:/.test(source.uri) ? hostIn(source.uri) : undefined;
  const { connection } = source.connection;
  return connection.type === "s3" ? hostIn(connection.endpoint) : undefined;
}

function hostIn(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).hostname : undefined;
}

/** Whether a host is a Service, which the pods of its own project may reach: what lies in other namespaces cannot be told from it. */
function isWithin(host: string | undefined): boolean {
  return host !== undefined && (!host.includes(".") || /\.svc(?:\.cluster\.local)?$/.test(host));
}
