import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { requireValid } from "../shared/validation.ts";
import type { InferenceServiceArgs } from "./inference-args.ts";
import { inferenceServiceProblems } from "./inference-problems.ts";
import { CANARY_SUFFIX, canaryRoute, modelMetadata, predictorSpec } from "./inference-spec.ts";
import { letCallersIn } from "./model-callers.ts";
import { behindGuards, placed } from "./place.ts";

export type { Access, Canary, InferenceServiceArgs, Replicas, TokenAuth } from "./inference-args.ts";

/** A model that is served, in Standard mode: plain Deployment and Service. Done when it is ready, or stopped where it is to be. */
export class InferenceService extends ComponentResource {
  readonly modelName: string;
  /** Address within the cluster, with the port where the server answers; empty while it stands still. */
  readonly internalUrl: Output<string>;
  /**
   * Address from outside; nothing where it is not exposed. Empty while it stands still, and where the platform has not told it yet:
   * it does so a moment after a model that is ready was exposed.
   */
  readonly externalUrl: Output<string> | undefined;
  /** Name of the service account that callers may take a token of, where one was asked for. */
  readonly callersAccount: string | undefined;
  /** The models behind the address: one, or two with a canary. */
  readonly models: readonly Resource[];

  constructor(name: string, args: InferenceServiceArgs, options?: ComponentResourceOptions) {
    requireValid("InferenceService", inferenceServiceProblems(args));
    super("kiln:openshift:InferenceService", name, {}, options);

    const { access = {}, modelName, project } = args;
    this.modelName = modelName;
    const { auth = "none" } = access;
    this.callersAccount = auth === "none" ? undefined : letCallersIn(name, args, auth, { parent: this });
    const model = this.#model(name, args, modelName);
    this.models = [model, ...this.#canary(name, args)];
    this.internalUrl = model.status.apply((status) =>
      internalAddress(status?.address?.url, args.runtime.port),
    );
    this.externalUrl = this.#externalUrl(name, args, model);
    this.registerOutputs({ modelName, namespace: project.namespace });
  }

  #model(name: string, args: InferenceServiceArgs, modelName: string): ObservedResource {
    const patience = `${args.patienceSeconds ?? 600}s`;
    const { project, runtime, source } = args;
    const after = [runtime.runtime, source.connection?.synced].filter((each) => each !== undefined);
    // A runtime of the same stack comes after what guards the project: with many models, each reference counts.
    const place = runtime.runtime === undefined ? project : behindGuards(project);
    return new CustomResource(
      name,
      {
        apiVersion: "serving.kserve.io/v1beta1",
        kind: "InferenceService",
        metadata: modelMetadata(args, modelName),
        spec: { predictor: predictorSpec(args) },
        // Not sent; named so that what the server says of it can be read.
        status: undefined,
      },
      {
        ...placed(place, { parent: this }, after),
        customTimeouts: { create: patience, update: patience },
        // Started again, its Deployment counts its generations from one, and would never come up with a model that was changed before
        // (see `deploymentStrategy`). While it stands still there is nothing that making it anew would interrupt.
        replaceOnChanges: ['metadata.annotations["serving.kserve.io/stop"]'],
        deleteBeforeReplace: true,
      },
    ) as ObservedResource;
  }

  #canary(name: string, args: InferenceServiceArgs): Resource[] {
    if (args.canary === undefined) return [];
    const { source, replicas = 1 } = args.canary;
    const canary = { ...args, source, replicas: { min: replicas } };
    return [this.#model(`${name}${CANARY_SUFFIX}`, canary, `${args.modelName}${CANARY_SUFFIX}`)];
  }

  #externalUrl(
    name: string,
    args: InferenceServiceArgs,
    model: ObservedResource,
  ): Output<string> | undefined {
    if (args.access?.exposed !== true) return undefined;
    if (args.canary === undefined) return model.status.apply((status) => externalAddress(status?.url));
    const route = new CustomResource(
      `${name}-route`,
      { ...canaryRoute(args, args.canary.percent), status: undefined },
      placed(behindGuards(args.project), { parent: this }, this.models),
    ) as ObservedRoute;
    return route.status.apply((status) => {
      const host = status?.ingress?.[0]?.host;
      return host === undefined ? "" : `https://${host}`;
    });
  }
}

/**
 * The address within the cluster. OpenShift AI's Services have no address of their own by default, so that callers come to a pod's own
 * port; KServe then says 8080, whatever port the server has. Pure.
 * Source: opendatahub-io/kserve reconcilers/ingress (createAddress), opendatahub-operator (rawDeploymentServiceConfig)
 * @param port where the server answers, as its runtime says. @default 8080
 */
export function internalAddress(url = "", port = 8080): string {
  return /^http:\/\/[^/:]+:8080$/.test(url) ? url.replace(/8080$/, String(port)) : url;
}

/** The address from outside, if it is one: until its route is let through, KServe goes on saying the one within. Pure. */
export function externalAddress(url = ""): string {
  return /^https:\/\/(?![^/]*\.svc\.cluster\.local(?::|\/|$))/.test(url) ? url : "";
}

/** What the server says of a model, as far as it is read here. */
type ObservedResource = CustomResource & {
  readonly status: Output<
    { readonly url?: string; readonly address?: { readonly url?: string } } | undefined
  >;
};
/** What the router says of a route, likewise. */
type ObservedRoute = CustomResource & {
  readonly status: Output<{ readonly ingress?: readonly { readonly host?: string }[] } | undefined>;
};
