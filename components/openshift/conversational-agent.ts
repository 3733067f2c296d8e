import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { requireValid } from "../shared/validation.ts";
import type { ConversationalAgentArgs } from "./agent/args.ts";
import { AgentObjects } from "./agent/objects.ts";
import { agentProblems } from "./agent/problems.ts";
import { AGENT_PORT, agentSettings } from "./agent/settings.ts";

export type {
  AgentCommands,
  AgentConfirmation,
  AgentDatabase,
  AgentModel,
  AgentNetwork,
  AgentObjectives,
  ConversationalAgentArgs,
  KeyRollout,
} from "./agent/args.ts";

/**
 * The runtime of the conversational agent for OpenShift AI: the agent, its database, and what watches both. It acts with its
 * callers' tokens; by itself it may only ask whose they are.
 */
export class ConversationalAgent extends ComponentResource {
  /** Address of the agent within the cluster. */
  readonly serviceUrl: string;
  /** Address of the agent for people, at the host that was given or that the router chose. */
  readonly url: Output<string>;
  /** Done when its pods answer: what to wait for before someone is sent there. */
  readonly deployment: Resource;

  constructor(name: string, args: ConversationalAgentArgs, options?: ComponentResourceOptions) {
    requireValid("ConversationalAgent", agentProblems(args));
    super("kiln:openshift:ConversationalAgent", name, {}, options);

    const settings = agentSettings(args);
    const objects = new AgentObjects(name, args, settings, this);
    const access = objects.access();
    const walls = objects.networkPolicies();
    const secrets = objects.secrets();
    const configuration = objects.configuration();
    const database = objects.database([...walls, ...secrets]);
    const migrated = objects.migrations([database, configuration.map]);
    const { service, url } = objects.exposure();
    const deployment = objects.deployment(configuration, [...access, service, migrated]);
    this.deployment = deployment;
    objects.scaling(deployment);
    objects.archival(migrated);
    objects.monitoring();

    this.serviceUrl = `https://${settings.names.agent}.${settings.namespace}.svc:${AGENT_PORT}`;
    this.url = url;
    this.registerOutputs({ serviceUrl: this.serviceUrl, url: this.url });
  }
}
