import { describe, expect, it } from "vitest";
import { condition, describeEnvironment, driftOf, type Listed } from "../../scripts/lib/overview.ts";
import { emptyState, type State, type StateResource } from "../../scripts/lib/state.ts";

const group = "/subscriptions/s/resourceGroups/rg";
const now = new Date("2026-03-02T10:00:00Z");
const resource = (type: string, id: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: `urn:pulumi:dev::kiln::${type}::${id.split("/").at(-1)}`,
  type,
  id,
  ...more,
});
const app = resource("azure-native:web:WebApp", `${group}/providers/Microsoft.Web/sites/app`);
const pending = [{ resource: app, type: "creating" }];
const listed = (id: string, createdOn?: string, type = "Microsoft.Web/sites"): Listed => ({
  id,
  type,
  name: id.split("/").at(-1) ?? "",
  createdOn: createdOn === undefined ? undefined : new Date(createdOn),
});

describe("the condition of an environment", () => {
  it.each<[string, Partial<State>, string]>([
    ["nothing on record", {}, "down"],
    ["nothing but what was begun", { pending }, "incomplete"],
    ["resources, but no outputs", { resources: [app] }, "incomplete"],
    ["outputs, but something begun", { resources: [app], outputs: { a: 1 }, pending }, "incomplete"],
    ["resources and outputs", { resources: [app], outputs: { a: 1 } }, "up"],
    ["outputs of nothing", { outputs: { a: 1 } }, "down"],
  ])("with %s", (_, state, expected) => {
    expect(condition({ ...emptyState, ...state })).toBe(expected);
  });
});

describe("how the cloud differs from the record", () => {
  const of = (resources: StateResource[], there: Listed[]) => driftOf({ ...emptyState, resources }, there);

  it("is not by letter case", () => {
    expect(of([app], [listed(app.id?.toUpperCase() ?? "")])).toEqual({ missing: [], unknown: [] });
  });

  it("is what is gone, and what someone else put there", () => {
    const other = `${group}/providers/Microsoft.Web/sites/other`;
    expect(of([app], [listed(other)])).toEqual({ missing: [app.id], unknown: [other] });
  });

  it("is neither what no list of a group shows, nor what Azure makes on its own", () => {
    const unlisted = [
      resource("azure-native:resources:ResourceGroup", group),
      resource(
        "azure-native:cognitiveservices:Deployment",
        `${group}/providers/Microsoft.CognitiveServices/accounts/a/deployments/d`,
      ),
      resource(
        "azure-native:authorization:RoleAssignment",
        `${group}/providers/Microsoft.Authorization/roleAssignments/r`,
      ),
      resource("command:local:Command", "abc"),
    ];
    const made = listed(
      `${group}/providers/microsoft.insights/actiongroups/x`,
      now.toISOString(),
      "microsoft.insights/actionGroups",
    );
    expect(of(unlisted, [made])).toEqual({ missing: [], unknown: [] });
  });
});

describe("one environment among others", () => {
  const tags = { expiresOn: "2026-03-02T09:00:00Z" };
  const state: State = {
    resources: [
      resource("azure-native:resources:ResourceGroup", group, {
        inputs: { tags },
        outputs: { location: "West US" },
      }),
      app,
      resource("azure-native:web:AppServicePlan", `${group}/providers/Microsoft.Web/serverfarms/plan`, {
        inputs: { sku: { name: "B1" } },
      }),
      resource("azure-native:cognitiveservices:Account", `${group}/a`, {
        inputs: { location: "westus", sku: { name: "S0" } },
      }),
      resource("azure-native:cognitiveservices:Deployment", `${group}/d`, {
        inputs: { sku: { name: "Standard", capacity: 5 } },
        outputs: { name: "gpt-5-1", sku: { name: "GlobalStandard", capacity: 10 } },
      }),
    ],
    pending: [],
    outputs: { location: "westus" },
  };

  it("is told with its region, its age since the first thing was made, its end and what it costs by", () => {
    const there = [listed("/b", "2026-03-02T08:00:00Z"), listed("/a", "2026-03-01T10:00:00Z"), listed("/c")];
    expect(describeEnvironment("pr-7", state, there, now)).toMatchObject({
      env: "pr-7",
      result: "up",
      region: "westus",
      createdOn: "2026-03-01T10:00:00.000Z",
      ageMs: 86_400_000,
      expiresOn: "2026-03-02T09:00:00.000Z",
      expired: true,
      costs: [
        { type: "AppServicePlan", name: "plan", size: "B1" },
        { type: "Deployment", name: "gpt-5-1", size: "GlobalStandard ×10" },
      ],
    });
  });

  it("expires at its time, not before", () => {
    const at = (time: string) => describeEnvironment("pr-7", state, [], new Date(time)).expired;
    expect(at("2026-03-02T08:59:59Z")).toBe(false);
    expect(at("2026-03-02T09:00:00Z")).toBe(true);
  });

  it("has no age the cloud does not tell of, and none below nothing", () => {
    expect(describeEnvironment("dev", emptyState, [], now)).toEqual({
      env: "dev",
      result: "down",
      region: undefined,
      createdOn: undefined,
      ageMs: undefined,
      expiresOn: undefined,
      expired: false,
      drift: { missing: [], unknown: [] },
      costs: [],
    });
    expect(describeEnvironment("dev", emptyState, [listed("/a", "2026-03-02T11:00:00Z")], now).ageMs).toBe(0);
  });
});
