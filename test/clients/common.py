"""What the client scripts share: who signs in, and how a failure is told in JSON."""

import base64
import json
import os
import sys
import uuid

from azure.core.exceptions import HttpResponseError

SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]
TENANT = os.environ["AZURE_TENANT_ID"]
CLIENT = os.environ["AZURE_CLIENT_ID"]


def role_definition(role_id):
    return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"


SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


def refusal(call):
    """What the cloud refused a call with; `{"answer": ...}` when it did not."""
    try:
        answer = call()
    except HttpResponseError as error:
        code = getattr(error.error, "code", None) if error.error else None
        inner = getattr(error.error, "innererror", None) if error.error else None
        return {
            "type": type(error).__name__,
            "status": error.status_code,
            "code": code,
            "inner": inner.get("code") if isinstance(inner, dict) else None,
            "message": getattr(error.error, "message", None) if error.error else error.message,
        }
    return {"answer": str(answer)}


def make_vault(credential, name):
    """A vault whose secrets its maker may use."""
    from azure.mgmt.authorization import AuthorizationManagementClient
    from azure.mgmt.keyvault import KeyVaultManagementClient
    from azure.mgmt.resource import ResourceManagementClient

    group = f"rg-{name}"
    ResourceManagementClient(credential, SUBSCRIPTION).resource_groups.create_or_update(group, {"location": "eastus"})
    properties = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    vault = (
        KeyVaultManagementClient(credential, SUBSCRIPTION)
        .vaults.begin_create_or_update(group, name, {"location": "eastus", "properties": properties})
        .result()
    )
    AuthorizationManagementClient(credential, SUBSCRIPTION).role_assignments.create(
        vault.id,
        guid(),
        {
            "properties": {
                "roleDefinitionId": role_definition(SECRETS_OFFICER),
                "principalId": claims(credential.get_token("https://management.azure.com/.default").token)["oid"],
                "principalType": "ServicePrincipal",
            }
        },
    )
    return vault.properties.vault_uri.rstrip("/")


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def guid():
    return str(uuid.uuid4())


def report(results):
    json.dump(results, sys.stdout, indent=1, default=str)
