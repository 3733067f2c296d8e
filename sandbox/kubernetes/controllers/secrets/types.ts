import type { Condition, KubeObject, Strings } from "../runtime/objects.ts";

export interface AzureProvider {
  readonly authType?: string;
  readonly tenantId?: string;
  readonly vaultUrl: string;
  readonly serviceAccountRef?: {
    readonly name: string;
    readonly namespace?: string;
    readonly audiences?: readonly string[];
  };
}

export interface SecretStore extends KubeObject {
  readonly spec: {
    readonly provider: { readonly azurekv?: AzureProvider; readonly [other: string]: unknown };
    /** Seconds between two looks at the store. */
    readonly refreshInterval?: number;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface RemoteRef {
  /** `name`, or `secret/name`. */
  readonly key: string;
  readonly version?: string;
  /** A field of a secret whose value is JSON. */
  readonly property?: string;
  readonly decodingStrategy?: string;
}

export interface SecretTemplate {
  readonly type?: string;
  readonly engineVersion?: string;
  readonly mergePolicy?: "Replace" | "Merge";
  readonly data?: Strings;
  readonly metadata?: { readonly labels?: Strings; readonly annotations?: Strings };
  readonly templateFrom?: readonly unknown[];
}

export interface ExternalSecret extends KubeObject {
  readonly spec: {
    readonly refreshInterval?: string;
    readonly refreshPolicy?: "Periodic" | "CreatedOnce" | "OnChange";
    readonly secretStoreRef?: { readonly name: string; readonly kind?: string };
    readonly target?: {
      readonly name?: string;
      readonly creationPolicy?: "Owner" | "Orphan" | "Merge" | "None";
      readonly deletionPolicy?: "Retain" | "Delete" | "Merge";
      readonly immutable?: boolean;
      readonly template?: SecretTemplate;
    };
    readonly data?: readonly { readonly secretKey: string; readonly remoteRef: RemoteRef }[];
    readonly dataFrom?: readonly {
      readonly extract?: RemoteRef;
      readonly [other: string]: unknown;
    }[];
  };
  readonly status?: ExternalSecretStatus;
}

export interface ExternalSecretStatus {
  readonly refreshTime?: string;
  /** What of the object was synchronized: its generation, and a hash of its labels and annotations. */
  readonly syncedResourceVersion?: string;
  readonly conditions?: readonly Condition[];
  readonly binding?: { readonly name: string };
}

/** The store or the secret cannot be had. Its words name things, never a value. */
export class SecretProblem extends Error {
  override readonly name = "SecretProblem";
}

export const marks = {
  clientId: "azure.workload.identity/client-id",
  tenantId: "azure.workload.identity/tenant-id",
  managed: "reconcile.external-secrets.io/managed",
  dataHash: "reconcile.external-secrets.io/data-hash",
} as const;
