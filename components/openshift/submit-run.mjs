// Submits one run of a pipeline; it is what a ScheduledPipeline's CronJob starts. It runs alone in a container with nothing
// but Node, so it imports nothing else. Its request stands in a file, its token is the pod's own, read when it is used.
import { readFileSync } from "node:fs";
import { request } from "node:https";

const TIMEOUT_MS = 30_000;
const UNFINISHED = new Set(["PENDING", "RUNNING", "PAUSED", "CANCELING", "RUNTIME_STATE_UNSPECIFIED"]);

const env = (name) => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set`);
  return value;
};

/** Calls the pipeline server. Answers what it answers; undefined for 404 where that is an answer. */
function call(method, path, body, missing = false) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    method,
    ca: readFileSync(env("CA_FILE")),
    timeout: TIMEOUT_MS,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${readFileSync(env("TOKEN_FILE"), "utf8").trim()}`,
      ...(payload === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, env("API_URL")), options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status === 404 && missing) return resolve(undefined);
        if (status < 200 || status > 299)
          return reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`));
        try {
          resolve(text === "" ? {} : JSON.parse(text));
        } catch {
          reject(new Error(`${method} ${path}: the answer is not JSON: ${text.slice(0, 200)}`));
        }
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer in time`)));
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

/** Everything of a list, page by page. */
async function* all(path, key, query = {}) {
  let token = "";
  do {
    const search = new URLSearchParams({ page_size: "100", ...query, page_token: token });
    const page = await call("GET", `${path}?${search}`);
    yield* page[key] ?? [];
    token = page.next_page_token ?? "";
  } while (token !== "");
}

const named = (name) => (item) => item.display_name === name || item.name === name;

async function first(items, wanted) {
  for await (const item of items) if (wanted(item)) return item;
  return undefined;
}

/** The pipeline and its version, by name; without a version's name the newest. */
async function pipelineReference({ name, version }) {
  const pipeline = await call(
    "GET",
    `/apis/v2beta1/pipelines/names/${encodeURIComponent(name)}`,
    undefined,
    true,
  );
  if (pipeline === undefined) throw new Error(`The pipeline server has no pipeline "${name}"`);
  const versions = `/apis/v2beta1/pipelines/${encodeURIComponent(pipeline.pipeline_id)}/versions`;
  const newestFirst = all(versions, "pipeline_versions", { sort_by: "created_at desc" });
  const found = await first(newestFirst, version === undefined ? () => true : named(version));
  if (found === undefined)
    throw new Error(
      version === undefined ? `"${name}" has no version` : `"${name}" has no version "${version}"`,
    );
  return { pipeline_id: pipeline.pipeline_id, pipeline_version_id: found.pipeline_version_id };
}

/** The experiment by name, made when there is none. */
async function experimentId(name) {
  const found = await first(all("/apis/v2beta1/experiments", "experiments"), named(name));
  const experiment = found ?? (await call("POST", "/apis/v2beta1/experiments", { display_name: name }));
  return experiment.experiment_id;
}

async function main() {
  const wanted = JSON.parse(readFileSync(env("REQUEST_FILE"), "utf8"));
  // The Job's name tells the schedule, its definition and the time: one time never gives two runs, however often a pod is
  // tried again.
  const runName = env("RUN_NAME");
  const experiment_id = await experimentId(wanted.experiment);
  const reference = await pipelineReference(wanted.pipeline);

  const own = new RegExp(`^${wanted.schedule}-[0-9a-f]{8}-\\d+$`);
  const unfinished = [];
  for await (const run of all("/apis/v2beta1/runs", "runs", { experiment_id, sort_by: "created_at desc" })) {
    if (run.display_name === runName) return console.log(`${runName} was submitted before, as ${run.run_id}`);
    if (own.test(run.display_name) && UNFINISHED.has(run.state ?? "")) unfinished.push(run);
  }
  if (unfinished.length > 0 && wanted.concurrency === "Forbid")
    return console.log(`${unfinished[0].display_name} is still under way: ${runName} is left out`);
  if (wanted.concurrency === "Replace") {
    for (const run of unfinished) {
      await call("POST", `/apis/v2beta1/runs/${encodeURIComponent(run.run_id)}:terminate`);
      console.log(`${run.display_name} is broken off for ${runName}`);
    }
  }
  const run = await call("POST", "/apis/v2beta1/runs", {
    display_name: runName,
    description: `Schedule ${wanted.schedule}`,
    experiment_id,
    pipeline_version_reference: reference,
    runtime_config: { parameters: wanted.parameters },
  });
  console.log(`${runName} is submitted as ${run.run_id}`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
