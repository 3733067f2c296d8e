"""azure-mgmt-*: one platform's resources made, looked at, fought over and removed."""

from azure.identity import DefaultAzureCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.web import WebSiteManagementClient

from common import SECRETS_USER, SUBSCRIPTION, TENANT, guid, refusal, report, role_definition

credential = DefaultAzureCredential()
groups = ResourceManagementClient(credential, SUBSCRIPTION)
cognitive = CognitiveServicesManagementClient(credential, SUBSCRIPTION)
vaults = KeyVaultManagementClient(credential, SUBSCRIPTION)
identities = ManagedServiceIdentityClient(credential, SUBSCRIPTION)
roles = AuthorizationManagementClient(credential, SUBSCRIPTION)
storage = StorageManagementClient(credential, SUBSCRIPTION)
web = WebSiteManagementClient(credential, SUBSCRIPTION)

GROUP, ACCOUNT, VAULT = "rg-python", "oai-python", "kv-python"
LOCATION = "eastus"


def resource_groups():
    tags = {"env": "dev"}
    made = groups.resource_groups.create_or_update(GROUP, {"location": LOCATION, "tags": tags})
    for number in range(4):
        groups.resource_groups.create_or_update(f"{GROUP}-{number}", {"location": LOCATION})
    pages = [len(list(page)) for page in groups.resource_groups.list(top=2).by_page()]
    patched = groups.resource_groups.update(GROUP, {"tags": {"env": "test"}})
    polls = [groups.resource_groups.begin_delete(f"{GROUP}-{number}") for number in range(4)]
    for poll in polls:
        poll.result()
    return {
        "state": made.properties.provisioning_state,
        "pages": pages,
        "exists": [groups.resource_groups.check_existence(GROUP), groups.resource_groups.check_existence("rg-none")],
        "tags": patched.tags,
        "byTag": [each.name for each in groups.resource_groups.list(filter="tagName eq 'env' and tagValue eq 'test'")],
        "left": [each.name for each in groups.resource_groups.list()],
        "missing": refusal(lambda: groups.resource_groups.get("rg-none")),
        "moved": refusal(lambda: groups.resource_groups.create_or_update(GROUP, {"location": "westus"})),
        "elsewhere": refusal(lambda: groups.resource_groups.create_or_update("rg-x", {"location": "atlantis"})),
        "badFilter": refusal(lambda: list(groups.resource_groups.list(filter="colour eq 'red'"))),
        "unknownNamespace": refusal(lambda: groups.providers.get("Microsoft.Compute")),
    }


def account(name, domain):
    return {
        "location": LOCATION,
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": domain},
    }


def deployment(model="gpt-5.1", version="2025-11-13", sku="GlobalStandard", capacity=10):
    return {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": version}},
    }


def openai():
    accounts, deployments = cognitive.accounts, cognitive.deployments
    made = accounts.begin_create(GROUP, ACCOUNT, account(ACCOUNT, ACCOUNT)).result()
    keys = accounts.list_keys(GROUP, ACCOUNT)
    renewed = accounts.regenerate_key(GROUP, ACCOUNT, {"keyName": "Key1"})

    def deploy(name, **wanted):
        return deployments.begin_create_or_update(GROUP, ACCOUNT, name, deployment(**wanted)).result()

    first = deploy("gpt-5-1")
    usages = {each.name.value: each.current_value for each in cognitive.usages.list(LOCATION)}
    busy = deployments.begin_create_or_update(GROUP, ACCOUNT, "second", deployment(capacity=1))
    conflict = refusal(lambda: deploy("third"))
    busy.result()
    results = {
        "state": made.properties.provisioning_state,
        "endpoint": made.properties.endpoint,
        "renewed": [keys.key1 != renewed.key1, keys.key2 == renewed.key2],
        "deployment": [first.name, first.properties.provisioning_state, first.sku.capacity],
        "listed": sorted(each.name for each in deployments.list(GROUP, ACCOUNT)),
        "usage": usages.get("OpenAI.GlobalStandard.gpt-5.1"),
        "models": "gpt-5.1" in {each.model.name for each in cognitive.models.list(LOCATION)},
        "parallel": conflict,
        "noQuota": refusal(lambda: deploy("big", capacity=100_000)),
        "noModel": refusal(lambda: deploy("none", model="gpt-nine", version="1")),
        "nested": refusal(lambda: accounts.begin_delete(GROUP, ACCOUNT).result()),
        "taken": refusal(lambda: accounts.begin_create(GROUP, "oai-other", account("oai-other", ACCOUNT)).result()),
    }
    for name in results["listed"]:
        deployments.begin_delete(GROUP, ACCOUNT, name).result()
    accounts.begin_delete(GROUP, ACCOUNT).result()
    deleted = cognitive.deleted_accounts
    results |= {
        "gone": refusal(lambda: accounts.get(GROUP, ACCOUNT)),
        "softDeleted": [each.name for each in deleted.list()],
        "held": refusal(lambda: accounts.begin_create(GROUP, ACCOUNT, account(ACCOUNT, ACCOUNT)).result()),
        "wrongPlace": refusal(lambda: deleted.begin_purge("westus", GROUP, ACCOUNT).result()),
    }
    deleted.begin_purge(LOCATION, GROUP, ACCOUNT).result()
    results["purged"] = [each.name for each in deleted.list()]
    return results


def vault(protected=False):
    properties = {
        "tenantId": TENANT,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 7,
    }
    return {"location": LOCATION, "properties": properties | ({"enablePurgeProtection": True} if protected else {})}


def key_vaults():
    operations = vaults.vaults
    made = operations.begin_create_or_update(GROUP, VAULT, vault()).result()
    name = operations.check_name_availability({"name": VAULT, "type": "Microsoft.KeyVault/vaults"})
    operations.delete(GROUP, VAULT)
    held = refusal(lambda: operations.begin_create_or_update(GROUP, VAULT, vault()).result())
    listed = [each.name for each in operations.list_deleted()]
    operations.begin_purge_deleted(VAULT, LOCATION).result()
    protected = f"{VAULT}-p"
    operations.begin_create_or_update(GROUP, protected, vault(protected=True)).result()
    operations.delete(GROUP, protected)
    return {
        "uri": made.properties.vault_uri,
        "available": name.name_available,
        "reason": str(name.reason),
        "held": held,
        "softDeleted": listed,
        "afterPurge": [each.name for each in operations.list_deleted()],
        "protected": refusal(lambda: operations.begin_purge_deleted(protected, LOCATION).result()),
    }


def access():
    identity = identities.user_assigned_identities.create_or_update(GROUP, "id-python", {"location": LOCATION})
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    operations = roles.role_assignments
    grant = {
        "roleDefinitionId": role_definition(SECRETS_USER),
        "principalId": identity.principal_id,
        "principalType": "ServicePrincipal",
    }
    name = guid()
    body = {"properties": grant}
    made = operations.create(scope, name, body)
    again = operations.create(scope, name, body)
    stranger = {**grant, "principalId": guid()}
    unknown = {k: v for k, v in stranger.items() if k != "principalType"}
    results = {
        "same": made.id == again.id,
        "listed": name in {each.name for each in operations.list_for_scope(scope, filter="atScope()")},
        "duplicate": refusal(lambda: operations.create(scope, guid(), body)),
        "reused": refusal(lambda: operations.create(scope, name, {"properties": stranger})),
        "unknown": refusal(lambda: operations.create(scope, guid(), {"properties": unknown})),
        "definition": [
            each.role_name for each in roles.role_definitions.list(scope, filter="roleName eq 'Key Vault Secrets User'")
        ],
    }
    operations.delete(scope, name)
    results["deletedTwice"] = str(operations.delete(scope, name))
    identities.user_assigned_identities.delete(GROUP, "id-python")
    return results


def apps():
    account = storage.storage_accounts.begin_create(
        GROUP, "stpython", {"location": LOCATION, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    ).result()
    plan = web.app_service_plans.begin_create_or_update(
        GROUP,
        "plan-python",
        {"location": LOCATION, "kind": "linux", "sku": {"name": "B1"}, "properties": {"reserved": True}},
    ).result()
    site = web.web_apps.begin_create_or_update(
        GROUP,
        "func-python",
        {
            "location": LOCATION,
            "kind": "functionapp,linux",
            "properties": {"serverFarmId": plan.id, "httpsOnly": True},
        },
    ).result()
    web.web_apps.update_application_settings(GROUP, "func-python", {"properties": {"A": "1", "B": "2"}})
    settings = web.web_apps.list_application_settings(GROUP, "func-python")
    web.web_apps.update_application_settings(GROUP, "func-python", {"properties": {"B": "3"}})
    replaced = web.web_apps.list_application_settings(GROUP, "func-python")
    held = refusal(lambda: web.app_service_plans.delete(GROUP, "plan-python"))
    web.web_apps.delete(GROUP, "func-python", delete_empty_server_farm=True)
    return {
        "storage": str(account.provisioning_state),
        "host": site.default_host_name,
        "settings": dict(settings.properties),
        "replaced": dict(replaced.properties),
        "planHeld": held,
        "planGone": refusal(lambda: web.app_service_plans.get(GROUP, "plan-python")),
    }


results = {
    "groups": resource_groups(),
    "openai": openai(),
    "vaults": key_vaults(),
    "access": access(),
    "apps": apps(),
}
groups.resource_groups.begin_delete(GROUP).result()
results["left"] = [each.name for each in groups.resources.list()]
report(results)
