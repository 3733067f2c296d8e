import { ACTIONS } from "../model/actions.ts";
import { because, expression, script, workflow } from "../model/workflow.ts";
import { checkout, provide } from "./steps.ts";

const SARIF = '"$RUNNER_TEMP/scan.sarif"';

/** No raw key in the repository, nor in anything that it ever held. */
export const secretScan = workflow({
  name: "secret-scan",
  on: { push: {}, pull_request: {} },
  // What was pushed later holds what was pushed before.
  concurrency: { group: `secret-scan-${expression("github.ref")}`, "cancel-in-progress": true },
  jobs: {
    scan: {
      name: "Scan",
      "runs-on": "ubuntu-24.04",
      permissions: {
        contents: "read",
        actions: because("read", "to name the run that found something"),
        "security-events": because("write", "to show what was found beside the code"),
      },
      "timeout-minutes": 20,
      steps: [
        checkout({ "fetch-depth": 0 }),
        ...provide,
        { name: "Scan the files", run: script("npx kiln scan") },
        {
          name: "Scan the history",
          if: "!cancelled()",
          run: script(`npx kiln scan --history --format sarif --output ${SARIF}`),
        },
        {
          name: "Show what was found",
          // A fork's token may write nothing; and a private repository may not have bought code scanning.
          if: "always() && (github.event_name == 'push' || !github.event.pull_request.head.repo.fork)",
          "continue-on-error": true,
          uses: ACTIONS.uploadSarif,
          with: { sarif_file: `${expression("runner.temp")}/scan.sarif`, category: "kiln-scan" },
        },
      ],
    },
  },
});
