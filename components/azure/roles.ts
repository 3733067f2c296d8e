/**
 * The one permission table: what an intent needs, and nothing more.
 * Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
export const ROLES = {
  /** Key Vault Secrets User: read secrets. */
  readSecrets: "4633458b-17de-408a-b874-0445c86b69e6",
  /** Key Vault Secrets Officer: read, write, delete, recover and purge secrets. */
  manageSecrets: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
  /** Storage Blob Data Owner: what a Functions host needs of its own storage. */
  ownBlobs: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
  /** Monitoring Metrics Publisher: send telemetry. */
  publishTelemetry: "3913510d-42f4-4e42-8a64-420c390055eb",
  /** Cognitive Services Contributor: read and regenerate an account's keys. */
  manageAccountKeys: "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
} as const;

/** A row of the permission table. */
export type Permission = keyof typeof ROLES;
