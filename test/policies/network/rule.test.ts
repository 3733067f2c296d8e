import { describe, expect, it } from "vitest";
import { judgeStack } from "../../../policies/judge.ts";
import { type Exemption, type StackInput, UNKNOWN } from "../../../policies/model.ts";
import { closed, member, model, namespace } from "../kubernetes/stack.ts";
import { context, ruleNamed } from "../support.ts";

const found = (resources: readonly StackInput[], exemptions: readonly Exemption[] = []) =>
  judgeStack(ruleNamed("network-reach"), resources, context("prod", { exemptions }));
const said = (...resources: readonly StackInput[]) =>
  found(resources).map(({ urn, property }) => `${urn.split("::").at(-1)}: ${property}`);

const policy = (name: string, spec: object) => member("networking.k8s.io/v1:NetworkPolicy", name, { spec });
const opens = (podSelector: object, name = "opens") => policy(name, { podSelector, ingress: [{}] });
const pod = (labels: unknown, spec: object = {}) =>
  member("core/v1:Pod", "pod", {
    metadata: { labels },
    spec: { containers: [], automountServiceAccountToken: false, ...spec },
  });
const BOTH = ["pod: ingress (internet)", "pod: ingress (other namespaces)"];

describe("network-reach", () => {
  it("finds a namespace open until a policy closes it, whatever is in it", () => {
    expect(said(namespace(), closed())).toEqual([]);
    expect(said(namespace())).toEqual([
      "a: ingress (internet)",
      "a: ingress (other namespaces)",
      "a: egress (internet)",
      "a: egress (other namespaces)",
      "a: egress (metadata service)",
    ]);
    // One that closes some pods closes not those of which nothing is known.
    expect(said(namespace(), policy("p", { podSelector: { matchLabels: { app: "a" } } }))).toHaveLength(5);
    // A closed namespace does not close its neighbour.
    expect(
      said(namespace(), closed(), pod({}), member("core/v1:Pod", "there", { spec: {} }, { namespace: "b" })),
    ).toHaveLength(5);
  });

  it("says through which policy, and that a stricter one beside it changes nothing", () => {
    const [first] = found([
      closed(),
      opens({}),
      policy("strict", { podSelector: {}, ingress: [] }),
      pod({ app: "a" }),
    ]);
    expect(first?.message).toBe(
      "pod (kubernetes:core/v1:Pod), ingress (internet): anyone on the internet reaches the pod, by opens (spec.ingress[0]).",
    );
  });

  it("holds a policy against the labels that a pod has", () => {
    expect(said(closed(), opens({ matchLabels: { app: "a" } }), pod({ app: "a" }))).toEqual(BOTH);
    expect(said(closed(), opens({ matchLabels: { app: "a" } }), pod({ app: "b" }))).toEqual([]);
    const expression = (operator: string, values?: string[]) =>
      opens({ matchExpressions: [{ key: "app", operator, ...(values && { values }) }] });
    expect(said(closed(), expression("NotIn", ["a"]), pod({}))).toEqual(BOTH);
    expect(said(closed(), expression("Exists"), pod({}))).toEqual([]);
  });

  it("waits with what is not known yet: labels, selectors, namespaces", () => {
    expect(said(closed(), opens({ matchLabels: { app: "a" } }), pod({ app: UNKNOWN }))).toEqual([]);
    expect(said(closed(), opens({ matchLabels: { app: "a" } }), pod(UNKNOWN))).toEqual([]);
    expect(said(closed(), opens(UNKNOWN as never), pod({ app: "a" }))).toEqual([]);
    expect(said(member("core/v1:Pod", "pod", { spec: {} }, { namespace: UNKNOWN }))).toEqual([]);
    // What is known of the rest is judged.
    expect(said(closed(), opens({}), pod(UNKNOWN))).toEqual(BOTH);
    const home = namespace();
    const inside = { namespace: UNKNOWN, on: [home.urn] };
    expect(said(home, closed(), member("core/v1:Pod", "pod", { spec: {} }, inside))).toEqual([]);
  });

  it("knows the labels that KServe and the notebook controller give", () => {
    const byModel = opens({ matchLabels: { "serving.kserve.io/inferenceservice": "m" } });
    const named = (who: string) => BOTH.map((each) => each.replace("pod", who));
    expect(said(closed(), byModel, model("m", { model: {} }))).toEqual(named("m"));
    expect(said(closed(), byModel, model("n", { model: {} }))).toEqual([]);
    const byOwn = opens({ matchLabels: { tier: "gold" } });
    expect(said(closed(), byOwn, model("m", { labels: { tier: "gold" }, model: {} }))).toEqual(named("m"));
    expect(
      said(closed(), byOwn, model("m", { model: {} }, { metadata: { labels: { tier: "gold" } } })),
    ).toEqual(named("m"));
    const book = member("kubeflow.org/v1:Notebook", "n", {
      spec: { template: { spec: { containers: [] } } },
    });
    expect(said(closed(), opens({ matchLabels: { "notebook-name": "n" } }), book)).toEqual(named("n"));
  });

  it("lets pods with a token for it to the API server, and no others", () => {
    const asks = policy("asks", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: [{ port: 6443 }] }],
    });
    const without = ["pod: egress (API server)"];
    expect(said(closed(), asks, pod({}))).toEqual(without);
    expect(said(closed(), asks, pod({}, { automountServiceAccountToken: true }))).toEqual([]);
    expect(said(closed(), asks, pod({}, { automountServiceAccountToken: undefined }))).toEqual([]);
    expect(said(closed(), asks, pod({}, { automountServiceAccountToken: UNKNOWN }))).toEqual([]);
    const account = member("core/v1:ServiceAccount", "quiet", { automountServiceAccountToken: false });
    const quiet = { automountServiceAccountToken: undefined, serviceAccountName: "quiet" };
    expect(said(closed(), asks, account, pod({}, quiet))).toEqual(without);
    const token = (source: object) => ({
      volumes: [{ name: "t", projected: { sources: [{ serviceAccountToken: source }] } }],
    });
    expect(said(closed(), asks, pod({}, token({ path: "t" })))).toEqual([]);
    expect(said(closed(), asks, pod({}, token({ path: "t", audience: "vault" })))).toEqual(without);
  });

  it("can be lifted by an exemption, like every rule", () => {
    const exemption: Exemption = {
      rule: "network-reach",
      type: "kubernetes:core/v1:Pod",
      name: "pod",
      property: "ingress (internet)",
      environments: ["prod"],
      reason: "a public probe, until the new one is there",
      expires: "2027-06-30",
    };
    const open = [closed(), opens({}), pod({})];
    expect(found(open, [exemption]).map(({ property }) => property)).toEqual(["ingress (other namespaces)"]);
    expect(found(open, [{ ...exemption, type: "kubernetes:apps/v1:Deployment" }])).toHaveLength(2);
    expect(found(open, [{ ...exemption, expires: "2027-01-01" }])[0]?.message).toContain(
      "expired on 2027-01-01",
    );
  });
});
