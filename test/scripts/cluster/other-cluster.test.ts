import { describe, expect, it } from "vitest";
import type { ObjectRef } from "../../../scripts/lib/cluster/objects.ts";
import { keyOf } from "../../../scripts/lib/cluster/objects.ts";
import { refuseOtherCluster } from "../../../scripts/lib/cluster/other-cluster.ts";
import { emptyState, type State, type StateResource } from "../../../scripts/lib/state.ts";
import { testSession } from "../support.ts";

const namespace = (name: string): StateResource => ({
  urn: `urn::${name}`,
  type: "kubernetes:core/v1:Namespace",
  id: name,
  outputs: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
});
const state: State = { ...emptyState, resources: [namespace("kiln-dev-fraud"), namespace("kiln-dev-study")] };

/** An environment in a cluster that has these namespaces. */
function inCluster(has: readonly string[], { cloud = "azure", enabled = true } = {}) {
  const asked: string[] = [];
  const find = async (refs: readonly ObjectRef[]) => {
    asked.push(...refs.map(({ name }) => name));
    return new Map(
      refs.filter(({ name }) => has.includes(name)).map((ref) => [keyOf(ref), { metadata: {} }]),
    );
  };
  const session = testSession("dev", { clients: { cluster: async () => ({ find }) } });
  const { config, target } = session;
  return {
    asked,
    session: {
      ...session,
      config: { ...config, serving: { ...config.serving, enabled } },
      target: {
        ...target,
        name: cloud as "azure" | "sandbox",
        cluster: { kubeconfig: "/home/ann/.kube/config", context: "team" },
      },
    },
  };
}

describe("a cluster with nothing of what is on record", () => {
  it("is held for another one, and the error names what is missing and where it was looked for", async () => {
    const { session } = inCluster(["kiln-staging-fraud"]);
    const error = await refuseOtherCluster(session, state).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NothingInCluster", exitCode: 1 });
    const { cause, next } = error as { cause: string; next: string };
    for (const part of ["kiln-dev-fraud, kiln-dev-study", "/home/ann/.kube/config", "context team"])
      expect(cause).toContain(part);
    expect(next).toContain("kiln:serving.enabled to false");
  });

  it("is not held where one of the namespaces is there: the rest was deleted by hand", async () => {
    await refuseOtherCluster(inCluster(["kiln-dev-study"]).session, state);
  });

  it("is not held where a killed run is to be healed, serving is switched off, or nothing is on record", async () => {
    const pending = [{ resource: namespace("kiln-dev-fraud"), type: "deleting" }];
    const { session, asked } = inCluster([]);
    await refuseOtherCluster(session, { ...state, pending });
    await refuseOtherCluster(session, emptyState);
    await refuseOtherCluster(inCluster([], { enabled: false }).session, state);
    expect(asked).toEqual([]);
  });

  it("is no other one in the sandbox, which has but one", async () => {
    const { session, asked } = inCluster([], { cloud: "sandbox" });
    await refuseOtherCluster(session, state);
    expect(asked).toEqual([]);
  });
});
