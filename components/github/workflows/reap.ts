import { workflow } from "../model/workflow.ts";
import {
  azureLogin,
  becomesTheEnvironment,
  checkout,
  cloudVariables,
  kiln,
  provide,
  report,
} from "./steps.ts";

/** Every night: environments of pull requests that have outlived their time. */
export const reap = workflow({
  name: "reap",
  on: { schedule: [{ cron: "17 3 * * *" }], workflow_dispatch: {} },
  // The next night's waits for this one's end.
  concurrency: { group: "kiln-reap", "cancel-in-progress": false },
  jobs: {
    reap: {
      name: "Reap",
      "runs-on": "ubuntu-24.04",
      environment: "pr",
      permissions: { contents: "read", "id-token": becomesTheEnvironment },
      "timeout-minutes": 180,
      env: cloudVariables,
      steps: [
        checkout(),
        ...provide,
        azureLogin,
        { name: "Reap", run: kiln("reap --yes --cloud azure") },
        ...report,
      ],
    },
  },
});
