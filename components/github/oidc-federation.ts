import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  output,
  type Resource,
} from "@pulumi/pulumi";
import { type FieldProblem, requireValid } from "../shared/validation.ts";
import { environmentProblem, type NonEmpty, ownerProblem, repositoryProblem } from "./model/names.ts";
import {
  AUDIENCE,
  credentialName,
  ISSUER,
  type Job,
  SUBJECT_FORMS,
  type SubjectForm,
  subjectOf,
} from "./model/subjects.ts";

/** The repository whose jobs are trusted, and in which form they say who they are. */
export type TrustedRepository =
  /** By ids; by names as well where the repository is older than 15 July 2026, or until it is known that it is not. */
  | {
      readonly owner: string;
      readonly name: string;
      /** Number of the owner. Needed: a subject holds it. */
      readonly ownerId: Input<number>;
      /** Number of the repository, as {@link GithubRepository} gives it. Needed: a subject holds it. */
      readonly repositoryId: Input<number>;
      /** @default "both" */
      readonly forms?: "both" | "ids";
    }
  /** By names only, without any number. For GitHub Enterprise Server's habits; anyone who takes over both names is trusted. */
  | {
      readonly owner: string;
      readonly name: string;
      readonly forms: "names";
      readonly ownerId?: never;
      readonly repositoryId?: never;
    };

/** Arguments of {@link OidcFederation}. */
export interface OidcFederationArgs {
  readonly resourceGroupName: Input<string>;
  /** Name of the user-assigned identity that the jobs become. */
  readonly identityName: Input<string>;
  /** Exactly as GitHub writes it: subjects are compared letter by letter. */
  readonly repository: TrustedRepository;
  /** Which of its jobs. */
  readonly jobs: NonEmpty<Job>;
}

/** Azure takes this many federated credentials on one identity. Source: learn.microsoft.com/entra/workload-id (considerations) */
const mostCredentials = 20;

/**
 * Lets jobs of a repository sign in to Azure as an identity, without a secret. The credentials hang on one another: Azure answers
 * 409 to two writes at once on one identity, and providers do not retry it.
 */
export class OidcFederation extends ComponentResource {
  /** What the identity trusts, one subject for each kind of job and form. */
  readonly subjects: readonly Output<string>[];
  /** What to wait for before a job signs in. */
  readonly credentials: readonly Resource[];

  constructor(name: string, args: OidcFederationArgs, options?: ComponentResourceOptions) {
    requireValid("OidcFederation", oidcFederationProblems(args));
    super("kiln:github:OidcFederation", name, {}, options);

    const made: FederatedIdentityCredential[] = [];
    const subjects: Output<string>[] = [];
    for (const { job, form } of trusted(args)) {
      const subject = subjectFor(args.repository, job, form);
      const credential = credentialName(args.repository, job, form);
      subjects.push(subject);
      made.push(
        new FederatedIdentityCredential(
          `${name}-${credential}`,
          {
            resourceGroupName: args.resourceGroupName,
            resourceName: args.identityName,
            federatedIdentityCredentialResourceName: credential,
            issuer: ISSUER,
            subject,
            audiences: [AUDIENCE],
          },
          { parent: this, dependsOn: made.slice(-1) },
        ),
      );
    }

    this.subjects = subjects;
    this.credentials = made;
    this.registerOutputs({ subjects });
  }
}

function trusted({ repository, jobs }: OidcFederationArgs): { job: Job; form: SubjectForm }[] {
  const { forms = "both" } = repository;
  const wanted = SUBJECT_FORMS.filter((form) => forms === "both" || forms === form);
  return jobs.flatMap((job) => wanted.map((form) => ({ job, form })));
}

function subjectFor(repository: TrustedRepository, job: Job, form: SubjectForm): Output<string> {
  const { owner, name, ownerId, repositoryId } = repository;
  return output({ ownerId: ownerId ?? 0, repositoryId: repositoryId ?? 0 }).apply((ids) =>
    subjectOf({ owner, name, ...ids }, job, form),
  );
}

/** Everything that is wrong with the arguments. Pure. */
export function oidcFederationProblems(args: OidcFederationArgs): FieldProblem[] {
  const { repository, jobs } = args;
  const credentials = trusted(args).map(({ job, form }) => credentialName(repository, job, form));
  const count = credentials.length;
  const problems: (FieldProblem | undefined)[] = [
    ownerProblem("repository.owner", repository.owner),
    repositoryProblem("repository.name", repository.name),
  ];
  const withoutIds = repository.ownerId === undefined || repository.repositoryId === undefined;
  if (repository.forms !== "names" && withoutIds)
    problems.push({
      field: "repository.ownerId",
      message: "and repository.repositoryId are needed unless repository.forms is names",
    });
  if (count > mostCredentials)
    problems.push({
      field: "jobs",
      message: `make ${count} credentials; Azure takes ${mostCredentials} on one identity`,
    });
  if (jobs.length === 0) problems.push({ field: "jobs", message: "are none" });
  jobs.forEach((job, index) => {
    if (job.environment !== undefined)
      problems.push(environmentProblem(`jobs[${index}].environment`, job.environment));
    const ref = job.branch ?? job.tag;
    if (ref !== undefined && !/^[^\s*?~^:[\\]+$/.test(ref))
      problems.push({
        field: `jobs[${index}]`,
        message: `${JSON.stringify(ref)} is no name of a branch or tag; a subject has no patterns`,
      });
  });
  if (new Set(credentials).size < count)
    problems.push({ field: "jobs", message: "name the same jobs twice" });
  return problems.filter((problem) => problem !== undefined);
}
