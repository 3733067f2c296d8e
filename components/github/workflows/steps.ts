import { ACTIONS } from "../model/actions.ts";
import {
  because,
  expression,
  type RunStep,
  type Script,
  script,
  type UsesStep,
  type Variables,
} from "../model/workflow.ts";

/** Where a run puts what it says, until it is known to hold no secret. */
export const RESULT = '"$RUNNER_TEMP/result.json"';
const LOG = '"$RUNNER_TEMP/run.log"';

/** The checkout without the token, which would otherwise stay in `.git/config` for whatever runs later. */
export function checkout(inputs: { readonly [input: string]: string | number } = {}): UsesStep {
  return { name: "Check out", uses: ACTIONS.checkout, with: { "persist-credentials": false, ...inputs } };
}

/** Node. No cache: one that another branch can write to would be code that nobody reviewed. */
export const provideNode: UsesStep = {
  name: "Provide Node",
  uses: ACTIONS.setupNode,
  with: { "node-version": 24, "package-manager-cache": false },
};

/** Node and what Kiln needs. */
export const provide: readonly [UsesStep, RunStep] = [
  provideNode,
  { name: "Install", run: script("npm ci") },
];

/** The right to be known by what GitHub says of the job. */
export const becomesTheEnvironment = because("write", "to sign in to Azure as the environment's identity");

/** Becomes the environment's identity, by what GitHub says of this job; there is no secret. */
export const azureLogin: UsesStep = {
  name: "Sign in to Azure",
  uses: ACTIONS.azureLogin,
  with: {
    "client-id": expression("vars.AZURE_CLIENT_ID"),
    "tenant-id": expression("vars.AZURE_TENANT_ID"),
    "subscription-id": expression("vars.AZURE_SUBSCRIPTION_ID"),
  },
};

/** What Kiln must know of Azure and of where the state lives. */
export const cloudVariables: Variables = {
  AZURE_SUBSCRIPTION_ID: expression("vars.AZURE_SUBSCRIPTION_ID"),
  PULUMI_BACKEND_URL: expression("vars.PULUMI_BACKEND_URL"),
  KILN_SECRETS_PROVIDER: expression("vars.KILN_SECRETS_PROVIDER"),
};

/** Runs a verb; what it says goes to files first. */
export function kiln<const Line extends string>(line: Line): Script {
  return script(`npx kiln ${line} --json > ${RESULT} 2> ${LOG}` as never);
}

/** Searches what the run said, and shows it only when it holds no secret. */
export const report: readonly [RunStep, RunStep] = [
  {
    name: "Search the log for secrets",
    id: "scan",
    if: "always()",
    run: script(`touch ${RESULT} ${LOG}`, `cat ${RESULT} >> ${LOG}`, `npx kiln scan --log ${LOG}`),
  },
  {
    name: "Show the result",
    if: "always() && steps.scan.outcome == 'success'",
    run: script(`cat ${LOG}`, `npx kiln github summary ${RESULT}`),
  },
];
