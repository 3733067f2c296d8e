import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import { type KnownPrincipal, knownPrincipals, type Principals } from "./principals.ts";
import type { Timings } from "./settings.ts";
import type { Collection } from "./store.ts";

/** A built-in role. Ids and permissions are Azure's, cut to the services that the sandbox has. */
export interface RoleDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

const role = (
  id: string,
  name: string,
  description: string,
  permissions: {
    actions?: string[];
    notActions?: string[];
    dataActions?: string[];
    notDataActions?: string[];
  },
): RoleDefinition => ({
  id,
  name,
  description,
  actions: permissions.actions ?? [],
  notActions: permissions.notActions ?? [],
  dataActions: permissions.dataActions ?? [],
  notDataActions: permissions.notDataActions ?? [],
});

/** Source: Microsoft's list of Azure built-in roles. */
export const roleDefinitions: readonly RoleDefinition[] = [
  role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "Full access, including assigning roles.", {
    actions: ["*"],
  }),
  role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", "Full access, without assigning roles.", {
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
    ],
  }),
  role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", "View all resources.", { actions: ["*/read"] }),
  role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "Manage access.", {
    actions: ["*/read", "Microsoft.Authorization/*"],
  }),
  role("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", "Assign roles.", {
    actions: [
      "Microsoft.Authorization/roleAssignments/write",
      "Microsoft.Authorization/roleAssignments/delete",
      "*/read",
    ],
  }),
  role(
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Administrator",
    "All data plane operations on a vault.",
    {
      actions: ["Microsoft.KeyVault/*/read", "Microsoft.KeyVault/checkNameAvailability/read"],
      dataActions: ["Microsoft.KeyVault/vaults/*"],
    },
  ),
  role(
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets Officer",
    "Any action on the secrets of a vault.",
    {
      actions: ["Microsoft.KeyVault/*/read"],
      dataActions: ["Microsoft.KeyVault/vaults/secrets/*"],
    },
  ),
  role("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User", "Read secret contents.", {
    dataActions: [
      "Microsoft.KeyVault/vaults/secrets/getSecret/action",
      "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    ],
  }),
  role(
    "21090545-7ca7-4776-b22c-e363652d74d2",
    "Key Vault Reader",
    "Read metadata of vaults and their contents.",
    {
      actions: ["Microsoft.KeyVault/*/read"],
      dataActions: [
        "Microsoft.KeyVault/vaults/*/read",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
      ],
    },
  ),
  role(
    "f25e0fa2-a7c8-4377-a976-54943a77a395",
    "Key Vault Contributor",
    "Manage vaults, not their contents.",
    {
      actions: ["Microsoft.KeyVault/*"],
      notActions: [
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
        "Microsoft.KeyVault/hsmPools/*",
      ],
    },
  ),
  role(
    "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Crypto User",
    "Cryptographic operations with keys.",
    {
      dataActions: [
        "Microsoft.KeyVault/vaults/keys/read",
        "Microsoft.KeyVault/vaults/keys/encrypt/action",
        "Microsoft.KeyVault/vaults/keys/decrypt/action",
        "Microsoft.KeyVault/vaults/keys/wrap/action",
        "Microsoft.KeyVault/vaults/keys/unwrap/action",
        "Microsoft.KeyVault/vaults/keys/sign/action",
        "Microsoft.KeyVault/vaults/keys/verify/action",
        "Microsoft.KeyVault/vaults/keys/update/action",
        "Microsoft.KeyVault/vaults/keys/backup/action",
      ],
    },
  ),
  role(
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
    "Cognitive Services Contributor",
    "Create and manage accounts and keys.",
    {
      actions: ["Microsoft.CognitiveServices/*", "Microsoft.Resources/subscriptions/resourceGroups/read"],
    },
  ),
  role("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "Cognitive Services OpenAI User", "Call models.", {
    actions: ["Microsoft.CognitiveServices/*/read"],
    dataActions: ["Microsoft.CognitiveServices/accounts/OpenAI/*"],
  }),
  role("a97b65f3-24c7-4388-baec-2e87135dc908", "Cognitive Services User", "Read and list keys.", {
    actions: ["Microsoft.CognitiveServices/*/read", "Microsoft.CognitiveServices/accounts/listkeys/action"],
    dataActions: ["Microsoft.CognitiveServices/*"],
  }),
  role("de139f84-1756-47ae-9be6-808fbbe84772", "Website Contributor", "Manage web sites.", {
    actions: ["Microsoft.Web/sites/*", "Microsoft.Web/serverFarms/read", "Microsoft.Resources/deployments/*"],
  }),
  role("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner", "Full access to blobs.", {
    dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
  }),
  role(
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Contributor",
    "Read, write and delete blobs.",
    {
      dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
    },
  ),
  role(
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Contributor",
    "Read, write and delete messages.",
    {
      dataActions: ["Microsoft.Storage/storageAccounts/queueServices/queues/messages/*"],
    },
  ),
  role("3913510d-42f4-4e42-8a64-420c390055eb", "Monitoring Metrics Publisher", "Publish metrics.", {
    dataActions: ["Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"],
  }),
  role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", "Read monitoring data.", {
    actions: ["*/read"],
  }),
  role("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", "Read and assign an identity.", {
    actions: [
      "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
    ],
  }),
  role(
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    "Managed Identity Contributor",
    "Create and delete identities.",
    {
      actions: ["Microsoft.ManagedIdentity/userAssignedIdentities/*"],
    },
  ),
];

export interface RoleAssignment {
  /** Lower-case scope the role holds on, and everything below it. */
  readonly scope: string;
  readonly name: string;
  readonly principalId: string;
  readonly principalType: string;
  readonly roleDefinitionId: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly description?: string;
  /** Kept and shown; the sandbox does not judge by it. */
  readonly condition?: string;
  readonly conditionVersion?: string;
}

/** Who may do what, by role assignments that take effect only after a propagation delay. */
export class Rbac {
  readonly assignments: Collection<RoleAssignment>;
  readonly #principals: Principals;
  readonly #clock: Clock;
  readonly #timings: () => Timings;
  readonly #subscriptionId: string;

  constructor(
    assignments: Collection<RoleAssignment>,
    principals: Principals,
    clock: Clock,
    timings: () => Timings,
    subscriptionId: string,
  ) {
    this.assignments = assignments;
    this.#principals = principals;
    this.#clock = clock;
    this.#timings = timings;
    this.#subscriptionId = subscriptionId;
  }

  /** Whether the principal holds this control-plane action (or data action) on the scope now. */
  allows(objectId: string, action: string, scope: string, plane: "control" | "data" = "control"): boolean {
    return this.#roles(objectId, scope).some((definition) =>
      plane === "control"
        ? grants(definition.actions, definition.notActions, action)
        : grants(definition.dataActions, definition.notDataActions, action),
    );
  }

  /** Whether the principal holds any role on the subscription or below it: what `GET /subscriptions` shows. */
  hasAnyRole(objectId: string): boolean {
    return (
      this.#builtIn(objectId) !== undefined ||
      this.assignments
        .values()
        .some((assignment) => assignment.principalId === objectId && this.#effective(assignment))
    );
  }

  /** The roles on the subscription that the sandbox's own principals hold from the start, as assignments. */
  standing(): RoleAssignment[] {
    return this.#principals.list().flatMap((principal) => {
      const held = this.#builtIn(principal.objectId);
      const definition = roleDefinitions.find((each) => each.name === held);
      if (definition === undefined) return [];
      const scope = `/subscriptions/${this.#subscriptionId}`;
      return {
        scope,
        name: uuidOf(`${scope}/${principal.objectId}/${definition.id}`),
        principalId: principal.objectId,
        principalType: "ServicePrincipal",
        roleDefinitionId: definition.id,
        createdAt: 0,
        createdBy: "",
      };
    });
  }

  /** A resource that goes takes the role assignments on it and below it along. */
  dropBelow(scope: string): void {
    const gone = scope.toLowerCase();
    for (const [id, assignment] of this.assignments.entries()) {
      if (under(assignment.scope, gone)) this.assignments.delete(id);
    }
  }

  #roles(objectId: string, scope: string): RoleDefinition[] {
    const within = scope.toLowerCase().replace(/\/+$/, "");
    const built = this.#builtIn(objectId);
    const subscription = `/subscriptions/${this.#subscriptionId}`;
    const names = built !== undefined && under(within, subscription) ? [built] : [];
    const assigned = this.assignments
      .values()
      .filter(
        (assignment) =>
          assignment.principalId === objectId &&
          under(within, assignment.scope) &&
          this.#effective(assignment),
      )
      .map((assignment) => assignment.roleDefinitionId);
    return roleDefinitions.filter((each) => names.includes(each.name) || assigned.includes(each.id));
  }

  #builtIn(objectId: string): string | undefined {
    const name = this.#principals.byObjectId(objectId)?.name;
    return name !== undefined && name in knownPrincipals
      ? knownPrincipals[name as KnownPrincipal]
      : undefined;
  }

  #effective(assignment: RoleAssignment): boolean {
    return assignment.createdAt + this.#timings().rolePropagation <= this.#clock.now();
  }
}

/** The same UUID for the same text. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function under(scope: string, ancestor: string): boolean {
  return scope === ancestor || scope.startsWith(`${ancestor}/`) || ancestor === "/" || ancestor === "";
}

function grants(allowed: readonly string[], denied: readonly string[], action: string): boolean {
  return (
    allowed.some((pattern) => covers(pattern, action)) && !denied.some((pattern) => covers(pattern, action))
  );
}

/** Whether a permission pattern (`*` stands for any text, also across slashes) covers the action. */
export function covers(pattern: string, action: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(action);
}
