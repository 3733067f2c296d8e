"""azure-identity: every way of signing in that needs no person."""

import os

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientSecretCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
    WorkloadIdentityCredential,
)

from common import CLIENT, TENANT, claims, guid, report

ARM = "https://management.azure.com/.default"
SECRET = open(os.environ["OWNER_SECRET_FILE"], encoding="utf-8").read().strip()


def signed_in(credential, scope=ARM):
    token = credential.get_token(scope)
    known = claims(token.token)
    # The client counts the lifetime from when the answer arrives.
    return {"audience": known["aud"], "app": known["appid"], "tenant": known["tid"], "expires": abs(token.expires_on - known["exp"]) < 300}


def refused(credential):
    try:
        return {"answer": signed_in(credential)}
    except (ClientAuthenticationError, CredentialUnavailableError) as error:
        return {"type": type(error).__name__, "message": str(error)}


report(
    {
        "secret": signed_in(ClientSecretCredential(TENANT, CLIENT, SECRET)),
        "workload": signed_in(WorkloadIdentityCredential()),
        "default": signed_in(DefaultAzureCredential()),
        "vaultAudience": signed_in(WorkloadIdentityCredential(), "https://vault.azure.net/.default"),
        "wrongSecret": refused(ClientSecretCredential(TENANT, CLIENT, "wrong")),
        "unknownClient": refused(ClientSecretCredential(TENANT, guid(), SECRET)),
        "unknownTenant": refused(ClientSecretCredential(guid(), CLIENT, SECRET)),
        "foreignAssertion": refused(
            WorkloadIdentityCredential(
                client_id=guid(), tenant_id=TENANT, token_file_path=os.environ["AZURE_FEDERATED_TOKEN_FILE"]
            )
        ),
    }
)
