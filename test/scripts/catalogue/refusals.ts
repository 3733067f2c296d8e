/**
 * Refusals in Azure's own words, for codes that the sandbox's services have no reason to give: by the entry that is to explain the
 * code and the code, the status and what it says.
 */
export const refusals: Readonly<Record<string, readonly [status: number, message: string]>> = {
  "SubscriptionIsOverQuotaForSku/SubscriptionIsOverQuotaForSku": [
    401,
    "This region has quota of 0 instances for your subscription. Try selecting different region or SKU.",
  ],
  "SubscriptionIsOverQuotaForSku/Unauthorized": [
    401,
    "Operation cannot be completed without additional quota. Current Limit (Basic VMs): 0",
  ],
  "QuotaExceeded/QuotaExceeded": [
    400,
    "Operation could not be completed as it results in exceeding approved quota.",
  ],
  "QuotaExceeded/SkuNotAvailable": [
    409,
    "The requested size is currently not available in location 'eastus'.",
  ],
  "QuotaExceeded/RequestDisallowedByAzure": [
    403,
    "Resource 'x' was disallowed by Azure: This policy maintains a set of best available regions where your subscription can deploy resources.",
  ],
  "ServiceUnavailable/ServiceUnavailable": [
    503,
    "Sorry, we are currently experiencing high demand in East US region, and cannot fulfill your request at this time.",
  ],
  "InvalidCapacity/InvalidCapacity": [400, "The specified capacity '0' of account deployment is invalid."],
  "LocationNotAvailableForResourceType/LocationNotAvailableForResourceType": [
    400,
    "The provided location 'x' is not available for resource type 'Microsoft.Web/sites'.",
  ],
  "VaultAlreadyExists/StorageAccountAlreadyTaken": [409, "The storage account named x is already taken."],
  "VaultAlreadyExists/StorageAccountAlreadyExists": [
    409,
    "The storage account named x already exists under the subscription.",
  ],
  "ConflictError/Conflict": [409, "Website with given name x already exists."],
  "TooManyRequests/TooManyRequests": [429, "The request is being throttled."],
  "ResourceGroupDeletionBlocked/ResourceGroupDeletionBlocked": [
    409,
    "Deletion of resource group 'rg' failed as resources with identifiers 'x' could not be deleted.",
  ],
  "ResourceGroupDeletionBlocked/ResourceGroupDeletionTimeout": [
    409,
    "Deletion of resource group 'rg' did not finish within the allowed time.",
  ],
  "ResourceGroupBeingDeleted/ResourceGroupBeingDeleted": [
    409,
    "The resource group 'rg' is in deprovisioning state and cannot perform this operation.",
  ],
  "ScopeLocked/ScopeLocked": [
    409,
    "The scope 'rg' cannot perform delete operation because following scope(s) are locked.",
  ],
  "SandboxStorageFailed/SandboxStorageFailed": [507, "The sandbox could not write its data."],
  "AuthorizationFailed/LinkedAuthorizationFailed": [
    403,
    "The client has permission to perform action 'x'; however, it does not have permission to perform action 'y' on the linked scope(s).",
  ],
  "AuthorizationFailed/RoleAssignmentPermissionDenied": [403, "The role assignment is not permitted."],
  "RequestDisallowedByPolicy/RequestDisallowedByPolicy": [
    403,
    "Resource 'x' was disallowed by policy. Policy identifiers: 'Allowed locations'.",
  ],
  "ForbiddenByFirewall/ForbiddenByFirewall": [
    403,
    "Client address is not authorized and caller is not a trusted service.",
  ],
  "Forbidden/Forbidden": [403, "Caller is not authorized to perform action on resource."],
  "ExpiredAuthenticationToken/InvalidAuthenticationTokenTenant": [
    401,
    "The access token is from the wrong issuer.",
  ],
  "ExpiredAuthenticationToken/AuthenticationFailed": [
    401,
    "Authentication failed. The 'Authorization' header is missing.",
  ],
  "ExpiredAuthenticationToken/Unauthorized": [401, "The token is not valid."],
  "SubscriptionNotFound/InvalidSubscriptionId": [
    400,
    "The provided subscription identifier 'x' is malformed or invalid.",
  ],
  "MissingSubscriptionRegistration/MissingSubscriptionRegistration": [
    409,
    "The subscription is not registered to use namespace 'Microsoft.CognitiveServices'.",
  ],
  "ReadOnlyDisabledSubscription/ReadOnlyDisabledSubscription": [
    409,
    "The subscription is disabled and therefore marked as read only.",
  ],
  "AuthenticationTypeDisabled/AuthenticationTypeDisabled": [
    403,
    "Key based authentication is disabled for this resource.",
  ],
};
