import { because, expression, script, workflow } from "../model/workflow.ts";
import {
  azureLogin,
  becomesTheEnvironment,
  checkout,
  cloudVariables,
  kiln,
  provide,
  report,
} from "./steps.ts";

/** One environment, brought up, given a new key, checked or removed by hand. */
export const foundryOnDemand = workflow({
  name: "foundry-on-demand",
  "run-name": `${expression("inputs.action")} ${expression("inputs.env")}`,
  on: {
    workflow_dispatch: {
      inputs: {
        action: {
          description: "What to do",
          type: "choice",
          options: ["up", "rotate-key", "down", "smoke"],
          default: "up",
          required: true,
        },
        env: {
          description: "Environment: dev, staging, prod or pr-<number>",
          type: "string",
          default: "dev",
          required: true,
        },
        region: {
          description: "Azure region, one of the configured ones; empty for the first that has room",
          type: "string",
        },
        model: {
          description: "Model for this run, such as gpt-5.1@2025-11-13; empty for the configured one",
          type: "string",
        },
      },
    },
  },
  // One run at a time works on an environment, and none is cancelled in the middle of a rotation or a teardown.
  concurrency: { group: `kiln-${expression("inputs.env")}`, "cancel-in-progress": false },
  jobs: {
    check: {
      name: "Check",
      "runs-on": "ubuntu-24.04",
      permissions: { contents: "read", actions: because("read", "to see how the environment is protected") },
      "timeout-minutes": 15,
      outputs: { environment: expression("steps.inputs.outputs.environment") },
      steps: [
        checkout(),
        ...provide,
        {
          name: "Check the inputs",
          id: "inputs",
          env: {
            ACTION: expression("inputs.action"),
            ENVIRONMENT: expression("inputs.env"),
            KILN_LOCATION: expression("inputs.region"),
            KILN_MODEL: expression("inputs.model"),
          },
          run: script('npx kiln github check-run "$ACTION" "$ENVIRONMENT"'),
        },
        {
          // A job that names an environment makes it, unprotected, where there is none: so this job names none.
          name: "Check the environment's protection",
          env: { ENVIRONMENT: expression("inputs.env"), GITHUB_TOKEN: expression("github.token") },
          run: script('npx kiln github verify-environment "$ENVIRONMENT" --cloud azure'),
        },
      ],
    },
    run: {
      name: "Run",
      needs: ["check"],
      "runs-on": "ubuntu-24.04",
      environment: expression("needs.check.outputs.environment"),
      permissions: { contents: "read", "id-token": becomesTheEnvironment },
      "timeout-minutes": 180,
      env: {
        ENVIRONMENT: expression("inputs.env"),
        KILN_LOCATION: expression("inputs.region"),
        KILN_MODEL: expression("inputs.model"),
        ...cloudVariables,
      },
      steps: [
        checkout(),
        ...provide,
        azureLogin,
        {
          name: "Bring up",
          if: "inputs.action == 'up'",
          run: kiln('up "$ENVIRONMENT" --cloud azure --yes'),
        },
        {
          name: "Rotate the key",
          if: "inputs.action == 'rotate-key'",
          run: kiln('rotate-key "$ENVIRONMENT" --cloud azure --yes'),
        },
        {
          name: "Tear down",
          if: "inputs.action == 'down'",
          run: kiln('down "$ENVIRONMENT" --cloud azure --yes'),
        },
        {
          name: "Smoke test",
          if: "inputs.action == 'smoke'",
          run: kiln('smoke "$ENVIRONMENT" --cloud azure'),
        },
        ...report,
      ],
    },
  },
});
