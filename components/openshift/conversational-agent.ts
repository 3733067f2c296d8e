import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import type { ConversationalAgentArgs } from "./agent/args.ts";

export type {
  AgentConfirmation,
  AgentDatabase,
  AgentModel,
  AgentNetwork,
  AgentObjectives,
  ConversationalAgentArgs,
} from "./agent/args.ts";

/** The conversational agent's own runtime. */
export class ConversationalAgent extends ComponentResource {
  /** Address of the agent within the cluster. */
  readonly serviceUrl: Output<string>;

  constructor(name: string, args: ConversationalAgentArgs, options?: ComponentResourceOptions) {
    super("kiln:openshift:ConversationalAgent", name, {}, options);
    this.serviceUrl = output(`https://${args.agentName ?? "agent"}.${args.namespace}.svc:8443`);
    this.registerOutputs({ serviceUrl: this.serviceUrl });
  }
}
