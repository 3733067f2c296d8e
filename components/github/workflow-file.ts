import { RepositoryFile } from "@pulumi/github/repositoryFile.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { type FieldProblem, requireValid } from "../shared/validation.ts";
import { renderWorkflow, WORKFLOW_FOLDER, workflowProblems } from "./model/render.ts";
import type { Workflow } from "./model/workflow.ts";

/** Arguments of {@link WorkflowFile}. */
export interface WorkflowFileArgs {
  /** Name of the repository, without the owner. */
  readonly repository: Input<string>;
  /** Name of the file in `.github/workflows`, without its ending. @default the workflow's own name */
  readonly fileName?: string;
  readonly workflow: Workflow;
  /** @default the repository's default branch */
  readonly branch?: Input<string>;
  /** Who is said to have written it. @default who the provider signs in as */
  readonly author?: { readonly name: string; readonly email: string };
}

/** A workflow, rendered from its typed definition into a repository. */
export class WorkflowFile extends ComponentResource {
  /** Where it is in the repository. */
  readonly path: string;
  readonly commit: Output<string>;

  constructor(name: string, args: WorkflowFileArgs, options?: ComponentResourceOptions) {
    requireValid("WorkflowFile", workflowFileProblems(args));
    super("kiln:github:WorkflowFile", name, {}, options);

    this.path = `${WORKFLOW_FOLDER}/${fileNameOf(args)}.yml`;
    const file = new RepositoryFile(
      name,
      {
        repository: args.repository,
        file: this.path,
        content: renderWorkflow(args.workflow, "Kept by Kiln: a change made here is undone."),
        commitMessage: `Workflow ${args.workflow.name}`,
        // A template may have brought one.
        overwriteOnCreate: true,
        ...(args.branch === undefined ? {} : { branch: args.branch }),
        ...(args.author === undefined
          ? {}
          : { commitAuthor: args.author.name, commitEmail: args.author.email }),
      },
      { parent: this },
    );

    this.commit = file.commitSha;
    this.registerOutputs({ path: this.path, commit: this.commit });
  }
}

function fileNameOf({ fileName, workflow }: WorkflowFileArgs): string {
  return fileName ?? workflow.name;
}

/** Everything that is wrong with the arguments. Pure. */
export function workflowFileProblems(args: WorkflowFileArgs): FieldProblem[] {
  const file = fileNameOf(args);
  return [
    ...(/^[A-Za-z0-9][\w.-]*$/.test(file)
      ? []
      : [{ field: "fileName", message: `${JSON.stringify(file)} is not letters, digits, - . and _` }]),
    ...workflowProblems(args.workflow).map(({ field, message }) => ({ field: `workflow.${field}`, message })),
  ];
}
