import { ACTIONS } from "../model/actions.ts";
import { because, expression, script, workflow } from "../model/workflow.ts";
import { checkout, provide, provideNode } from "./steps.ts";

/**
 * What a pull request would make of each environment, judged by the policies. It runs what the pull request brings along, so it
 * gets nothing worth stealing: no identity, no secret, a token that reads. The preview is the sandbox's, which needs no account and
 * into which the base was brought up before.
 */
export const preview = workflow({
  name: "preview",
  on: { pull_request: {} },
  // What was pushed meanwhile counts; a preview changes nothing that could be left half done.
  concurrency: {
    group: `preview-${expression("github.event.pull_request.number")}`,
    "cancel-in-progress": true,
  },
  jobs: {
    preview: {
      name: `Preview ${expression("matrix.environment")}`,
      "runs-on": "ubuntu-24.04",
      permissions: { contents: "read" },
      "timeout-minutes": 30,
      strategy: { "fail-fast": false, matrix: { environment: ["dev", "staging", "prod"] } },
      env: { ENVIRONMENT: expression("matrix.environment") },
      steps: [
        {
          ...checkout({ ref: expression("github.event.pull_request.base.sha"), path: "base" }),
          name: "Check out the base",
        },
        checkout({ path: "head" }),
        provideNode,
        { name: "Install the base", run: script("npm ci"), "working-directory": "base" },
        { name: "Install", run: script("npm ci"), "working-directory": "head" },
        {
          // So that the preview tells what changes, and not what there is. It is stopped, since the next one may be newer.
          name: "Bring up the base in the sandbox",
          // A base that does not come up is a preview of everything.
          "continue-on-error": true,
          "working-directory": "base",
          run: script('npx kiln up "$ENVIRONMENT" --yes', "npx kiln sandbox stop"),
        },
        {
          name: "Preview",
          "working-directory": "head",
          run: script('npx kiln preview "$ENVIRONMENT" --json > "$RUNNER_TEMP/preview-$ENVIRONMENT.json"'),
        },
        {
          name: "Show the result",
          if: "always()",
          "working-directory": "head",
          run: script('npx kiln github summary "$RUNNER_TEMP/preview-$ENVIRONMENT.json"'),
        },
        {
          name: "Keep the result",
          if: "always()",
          uses: ACTIONS.uploadArtifact,
          with: {
            name: `preview-${expression("matrix.environment")}`,
            path: `${expression("runner.temp")}/preview-*.json`,
            "retention-days": 7,
          },
        },
      ],
    },
    comment: {
      name: "Comment",
      needs: ["preview"],
      // A fork's token cannot comment; its results stand in the run's summary.
      if: "!cancelled() && github.event.pull_request.head.repo.full_name == github.repository",
      "runs-on": "ubuntu-24.04",
      permissions: { contents: "read", "pull-requests": because("write", "to comment") },
      "timeout-minutes": 15,
      steps: [
        // Not what the pull request brings along: this job may write.
        checkout({ ref: expression("github.event.pull_request.base.sha") }),
        ...provide,
        {
          name: "Fetch the results",
          uses: ACTIONS.downloadArtifact,
          with: {
            pattern: "preview-*",
            "merge-multiple": true,
            path: `${expression("runner.temp")}/previews`,
          },
        },
        {
          name: "Comment, or update the comment",
          env: {
            PULL_REQUEST: expression("github.event.pull_request.number"),
            GITHUB_TOKEN: expression("github.token"),
          },
          run: script(
            'npx kiln github comment "$PULL_REQUEST" "$RUNNER_TEMP"/previews/preview-*.json --cloud azure',
          ),
        },
      ],
    },
  },
});
