import type { Rule } from "./model.ts";
import { exemptionsInOrder } from "./rules/exemptions-in-order.ts";
import { ftpOff } from "./rules/ftp-off.ts";
import { httpsOnly } from "./rules/https-only.ts";
import { imageByDigest } from "./rules/image-by-digest.ts";
import { inferenceWithinQuota } from "./rules/inference-within-quota.ts";
import { keyVaultPurgeProtection } from "./rules/key-vault-purge-protection.ts";
import { keyVaultRbac } from "./rules/key-vault-rbac.ts";
import { keyVaultSoftDelete } from "./rules/key-vault-soft-delete.ts";
import { localAuth } from "./rules/local-auth.ts";
import { managedIdentity } from "./rules/managed-identity.ts";
import { minTls12 } from "./rules/min-tls-12.ts";
import { namespaceLabels } from "./rules/namespace-labels.ts";
import { networkReach } from "./rules/network-reach.ts";
import { noRawSecrets } from "./rules/no-raw-secrets.ts";
import { noUnseenManifests } from "./rules/no-unseen-manifests.ts";
import { podNotPrivileged } from "./rules/pod-not-privileged.ts";
import { publicAccess } from "./rules/public-access.ts";
import { quotaWithLimitRange } from "./rules/quota-with-limit-range.ts";
import { rbacNoOwner } from "./rules/rbac-no-owner.ts";
import { rbacNoWildcard } from "./rules/rbac-no-wildcard.ts";
import { rbacPrincipalType } from "./rules/rbac-principal-type.ts";
import { rbacScope } from "./rules/rbac-scope.ts";
import { referenceWithoutVersion } from "./rules/reference-without-version.ts";
import { remoteDebuggingOff } from "./rules/remote-debugging-off.ts";
import { replicasNotZero } from "./rules/replicas-not-zero.ts";
import { requiredTags } from "./rules/required-tags.ts";
import { resourcesSet } from "./rules/resources-set.ts";
import { routeTls } from "./rules/route-tls.ts";
import { secretMetadata } from "./rules/secret-metadata.ts";
import { serialDeployments } from "./rules/serial-deployments.ts";
import { serviceAccountOwn } from "./rules/service-account-own.ts";
import { volumeClaimAccess } from "./rules/volume-claim-access.ts";

const judging: readonly Rule[] = [
  requiredTags,
  noRawSecrets,
  keyVaultRbac,
  keyVaultSoftDelete,
  keyVaultPurgeProtection,
  referenceWithoutVersion,
  secretMetadata,
  httpsOnly,
  minTls12,
  managedIdentity,
  ftpOff,
  remoteDebuggingOff,
  publicAccess,
  localAuth,
  rbacNoOwner,
  rbacPrincipalType,
  rbacScope,
  serialDeployments,
  namespaceLabels,
  imageByDigest,
  podNotPrivileged,
  resourcesSet,
  quotaWithLimitRange,
  inferenceWithinQuota,
  replicasNotZero,
  rbacNoWildcard,
  serviceAccountOwn,
  networkReach,
  routeTls,
  volumeClaimAccess,
  noUnseenManifests,
];

/** The rules of the pack, all mandatory. To add one, write it in a file under rules/ and name it here. */
export const rules: readonly Rule[] = [...judging, exemptionsInOrder(judging.map(({ name }) => name))];
