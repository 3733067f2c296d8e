"""azure-keyvault-secrets: the whole life of a secret, and who may see it."""

import datetime

from azure.core.exceptions import ResourceExistsError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from common import make_vault, refusal, report

credential = DefaultAzureCredential()
client = SecretClient(make_vault(credential, "kv-secrets"), credential)
expiry = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)

first = client.set_secret("key", "one", tags={"slot": "1"}, content_type="text/plain", expires_on=expiry)
second = client.set_secret("key", "two")
results = {
    "first": [first.value, first.properties.tags, first.properties.content_type, str(first.properties.expires_on)],
    "current": client.get_secret("key").value,
    "pinned": client.get_secret("key", first.properties.version).value,
    "versions": sorted(each.version for each in client.list_properties_of_secret_versions("key"))
    == sorted([first.properties.version, second.properties.version]),
    "recovery": second.properties.recovery_level,
    "updated": client.update_secret_properties("key", second.properties.version, tags={"slot": "2"}).tags,
}

client.update_secret_properties("key", first.properties.version, enabled=False)
results["disabled"] = refusal(lambda: client.get_secret("key", first.properties.version))

for number in range(60):
    client.set_secret(f"many-{number}", str(number))
listed = [each.name for each in client.list_properties_of_secrets()]
results["listed"] = [len(listed), len(set(listed))]

backup = client.backup_secret("key")
deleted = client.begin_delete_secret("key")
results["deleted"] = deleted.result().name
deleted.wait()
results |= {
    "gone": refusal(lambda: client.get_secret("key")),
    "reserved": refusal(lambda: client.set_secret("key", "three")),
    "recoverable": "key" in {each.name for each in client.list_deleted_secrets()},
    "scheduledPurge": client.get_deleted_secret("key").scheduled_purge_date is not None,
}
recovery = client.begin_recover_deleted_secret("key")
recovery.wait()
results["recovered"] = client.get_secret("key").value
results["overRestore"] = refusal(lambda: client.restore_secret_backup(backup))
client.begin_delete_secret("key").wait()
client.purge_deleted_secret("key")


def restored():
    """A purge has no status of its own: it is over when its name can be used again."""
    while True:
        try:
            return client.restore_secret_backup(backup)
        except ResourceExistsError as error:
            if error.error.innererror["code"] != "ObjectIsBeingDeleted":
                raise


results |= {
    "restored": [restored().name, client.get_secret("key").value],
    "purgedTwice": refusal(lambda: client.purge_deleted_secret("key")),
    "badName": refusal(lambda: client.set_secret("AZURE_OPENAI_API_KEY", "x")),
    "tooLong": refusal(lambda: client.set_secret("long", "x" * 25_601)),
    "unicode": client.set_secret("unicode", "schlüssel 🔑").value,
    "empty": client.set_secret("empty", "").value,
}
report(results)
