/**
 * What the types of the GitHub components forbid. `tsc` checks it: were one of these allowed, its `@ts-expect-error` would be an
 * error itself. The checks at run time are held against the same cases.
 */
import type { GithubEnvironmentArgs } from "../../../components/github/environment.ts";
import { ACTIONS } from "../../../components/github/model/actions.ts";
import type { Protection, Reviewer } from "../../../components/github/model/protection.ts";
import type { Job as Subject } from "../../../components/github/model/subjects.ts";
import {
  expression,
  type Job,
  type Step,
  script,
  workflow,
} from "../../../components/github/model/workflow.ts";
import type { TrustedRepository } from "../../../components/github/oidc-federation.ts";
import type { GithubRepositoryArgs } from "../../../components/github/repository.ts";

const legal: readonly Protection[] = [
  { gate: "open", from: "anywhere" },
  { gate: "wait", waitMinutes: 5, from: "protected-branches" },
  { gate: "review", reviewers: [{ user: 1 }, { team: 2 }], from: "matching", branches: ["main"] },
  { gate: "review", reviewers: [{ user: 1 }], waitMinutes: 5, from: "matching", tags: ["v*"] },
];

const illegal: readonly Protection[] = [
  // @ts-expect-error protected branches and patterns exclude each other
  { gate: "open", from: "protected-branches", branches: ["main"] },
  // @ts-expect-error patterns need from: matching
  { gate: "open", from: "anywhere", tags: ["v*"] },
  // @ts-expect-error matching nothing would lock everyone out
  { gate: "open", from: "matching" },
  // @ts-expect-error an empty list matches nothing
  { gate: "open", from: "matching", branches: [] },
  // @ts-expect-error a review needs a reviewer
  { gate: "review", reviewers: [], from: "anywhere" },
  // @ts-expect-error a review needs a reviewer
  { gate: "review", from: "anywhere" },
  {
    gate: "review",
    // @ts-expect-error GitHub takes six reviewers
    reviewers: [{ user: 1 }, { user: 2 }, { user: 3 }, { user: 4 }, { user: 5 }, { user: 6 }, { user: 7 }],
    from: "anywhere",
  },
  // @ts-expect-error without a review nobody can approve their own run
  { gate: "open", preventSelfReview: true, from: "anywhere" },
  // @ts-expect-error reviewers need gate: review
  { gate: "wait", waitMinutes: 5, reviewers: [{ user: 1 }], from: "anywhere" },
  // @ts-expect-error waiting needs a time
  { gate: "wait", from: "anywhere" },
  // @ts-expect-error an open gate does not wait
  { gate: "open", waitMinutes: 5, from: "anywhere" },
];

// @ts-expect-error a reviewer is a person or a team
const both: Reviewer = { user: 1, team: 2 };

// @ts-expect-error protection is said, never left to chance
const unsaid: GithubEnvironmentArgs = { repository: "r", environmentName: "prod" };

const subjects: readonly Subject[] = [
  { environment: "prod" },
  { pullRequest: true },
  // @ts-expect-error a job that names an environment has no other subject
  { environment: "prod", branch: "main" },
  // @ts-expect-error a subject is of one ref
  { branch: "main", tag: "v1" },
];

const repositories: readonly TrustedRepository[] = [
  { owner: "o", name: "r", ownerId: 1, repositoryId: 2 },
  { owner: "o", name: "r", forms: "names" },
  // @ts-expect-error the form by ids needs the ids
  { owner: "o", name: "r" },
  // @ts-expect-error one of the two is not enough
  { owner: "o", name: "r", ownerId: 1, forms: "ids" },
  // @ts-expect-error names alone have no ids
  { owner: "o", name: "r", ownerId: 1, repositoryId: 2, forms: "names" },
];

const starts: readonly GithubRepositoryArgs[] = [
  { repositoryName: "r", description: "", start: "template", template: { owner: "o", name: "t" } },
  // @ts-expect-error a copy of what?
  { repositoryName: "r", description: "", start: "template" },
  // @ts-expect-error empty, or a copy
  { repositoryName: "r", description: "", start: "empty", template: { owner: "o", name: "t" } },
];

const steps: readonly Step[] = [
  { name: "test", run: script("npm test") },
  { name: "checkout", uses: ACTIONS.checkout, with: { "persist-credentials": false } },
  // @ts-expect-error a tag can be moved to other code
  { name: "checkout", uses: "actions/checkout@v7" },
  // @ts-expect-error a script is made by script()
  { name: "greet", run: "echo hello" },
  // @ts-expect-error a step runs or uses
  { name: "both", run: script("npm test"), uses: ACTIONS.checkout },
  // @ts-expect-error inputs are an action's
  { name: "inputs", run: script("npm test"), with: { a: "b" } },
];

// @ts-expect-error an expression in a script is pasted into it
const pasted = () => script(`echo ${expression("github.actor")}`);

const job = {
  name: "job",
  "runs-on": "ubuntu-latest",
  permissions: {},
  "timeout-minutes": 5,
  steps: [{ name: "test", run: script("npm test") }],
} as const satisfies Job;
const { permissions: _permissions, ...withoutPermissions } = job;
const { "timeout-minutes": _minutes, ...withoutTimeout } = job;

const workflows = [
  workflow({ name: "w", on: { push: {} }, jobs: { a: job, b: { ...job, needs: ["a"] } } }),
  // @ts-expect-error a need is a job of the workflow
  workflow({ name: "w", on: { push: {} }, jobs: { a: job, b: { ...job, needs: ["c"] } } }),
  // @ts-expect-error permissions are said in each job
  workflow({ name: "w", on: { push: {} }, jobs: { a: withoutPermissions } }),
  // @ts-expect-error a job ends some time
  workflow({ name: "w", on: { push: {} }, jobs: { a: withoutTimeout } }),
  // @ts-expect-error nobody may do everything
  workflow({ name: "w", on: { push: {} }, jobs: { a: { ...job, permissions: "write-all" } } }),
  // @ts-expect-error a right to write has a reason
  workflow({ name: "w", on: { push: {} }, jobs: { a: { ...job, permissions: { contents: "write" } } } }),
  // @ts-expect-error runs with rights on what a stranger may have chosen
  workflow({ name: "w", on: { pull_request_target: {} }, jobs: { a: job } }),
  // @ts-expect-error branches are named or left out, not both
  workflow({ name: "w", on: { push: { branches: ["a"], "branches-ignore": ["b"] } }, jobs: { a: job } }),
];

export { both, illegal, legal, pasted, repositories, starts, steps, subjects, unsaid, workflows };
