"""What no SDK sends on purpose: odd paths, wrong tokens, many at once. By `requests`, as Python programs do it."""

import concurrent.futures
import gzip
import json
import os

import requests
from azure.identity import DefaultAzureCredential

from common import SUBSCRIPTION, make_vault, report

ARM = "https://management.azure.com"
GROUPS = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups"

credential = DefaultAzureCredential()
VAULT = make_vault(credential, "kv-wire")
token = credential.get_token(f"{ARM}/.default").token
vault_token = credential.get_token("https://vault.azure.net/.default").token


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


def told(response):
    body = response.json() if response.content and "json" in response.headers.get("Content-Type", "") else {}
    return {
        "status": response.status_code,
        "code": (body.get("error") or {}).get("code") if isinstance(body.get("error"), dict) else None,
        "challenge": response.headers.get("WWW-Authenticate"),
    }


def get(url, **options):
    options.setdefault("headers", bearer(token))
    options.setdefault("params", {"api-version": "2021-04-01"})
    return requests.get(url, timeout=30, **options)


def paths():
    requests.put(f"{GROUPS}/rg-wire", headers=bearer(token), params={"api-version": "2021-04-01"}, json={"location": "eastus"}, timeout=30)
    odd = [
        f"{ARM}/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG-WIRE",
        f"{GROUPS}/rg-wire/",
        f"{ARM}//subscriptions/{SUBSCRIPTION}//resourceGroups/rg-wire",
        f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg%2Dwire",
    ]
    versions = ["2015-01-01", "2024-11-01", "2099-12-31", "2026-05-15-preview"]
    wrong = ["", "latest", "2021-4-1", "2021-04-01-nightly"]
    inner = f"{ARM}/-scoped/roleassignments"
    return {
        "odd": [get(url).status_code for url in odd],
        "versions": [get(f"{GROUPS}/rg-wire", params={"api-version": each}).status_code for each in versions],
        "wrongVersions": [told(get(f"{GROUPS}/rg-wire", params={"api-version": each}))["code"] for each in wrong],
        "capital": get(f"{GROUPS}/rg-wire", params={"API-Version": "2021-04-01"}).status_code,
        "unknown": told(get(f"{GROUPS}/rg-wire/providers/Microsoft.Compute/virtualMachines")),
        "unknownAction": told(requests.post(f"{GROUPS}/rg-wire/explode", params={"api-version": "2021-04-01"}, headers=bearer(token), timeout=30)),
        "otherSubscription": told(get(f"{ARM}/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups")),
        "inner": told(get(inner, params={"api-version": "2022-04-01", "-scope": f"/subscriptions/{SUBSCRIPTION}"})),
        "rootAssignments": told(get(f"{ARM}/providers/Microsoft.Authorization/roleAssignments")),
        "head": [
            requests.head(f"{GROUPS}/{name}", headers=bearer(token), params={"api-version": "2021-04-01"}, timeout=30).status_code
            for name in ("rg-wire", "rg-none")
        ],
        "requestId": "x-ms-request-id" in get(f"{GROUPS}/rg-wire").headers,
        "echo": requests.get(
            f"{GROUPS}/rg-wire",
            headers=bearer(token) | {"x-ms-client-request-id": "me"},
            params={"api-version": "2021-04-01"},
            timeout=30,
        ).headers.get("x-ms-client-request-id"),
    }


def tokens():
    wrong = {
        "none": {},
        "garbage": bearer("garbage"),
        "basic": {"Authorization": "Basic eA=="},
        "unsigned": bearer(token.rsplit(".", 1)[0] + "."),
        "audience": bearer(vault_token),
        "expired": bearer(os.environ["EXPIRED_TOKEN"]),
        "stranger": bearer(os.environ["STRANGER_TOKEN"]),
    }
    vault = {
        "none": {},
        "garbage": bearer("garbage"),
        "audience": bearer(token),
        "expired": bearer(os.environ["EXPIRED_VAULT_TOKEN"]),
    }
    listed = {"api-version": "7.4"}
    return {
        "arm": {name: told(get(GROUPS, headers=headers)) for name, headers in wrong.items()},
        "vault": {name: told(get(f"{VAULT}/secrets", headers=headers, params=listed)) for name, headers in vault.items()},
        "graph": told(get("https://graph.microsoft.com/v1.0/servicePrincipals", params={})),
    }


def bodies():
    url, params = f"{GROUPS}/rg-body", {"api-version": "2021-04-01"}

    def put(data, **headers):
        return told(requests.put(url, data=data, params=params, headers=bearer(token) | headers, timeout=60))

    tags = {f"tag-{number}": "v" * 256 for number in range(50)}
    as_json = {"Content-Type": "application/json"}
    good = json.dumps({"location": "eastus", "tags": tags})
    return {
        "fiftyTags": put(good, **as_json),
        "tooManyTags": put(json.dumps({"location": "eastus", "tags": tags | {"one": "more"}}), **as_json),
        "notJson": put("{location", **as_json),
        "notAnObject": put("[]", **as_json),
        "empty": put("", **as_json),
        "charset": put(good, **{"Content-Type": "application/json; charset=utf-8"}),
        "form": put("location=eastus", **{"Content-Type": "application/x-www-form-urlencoded"}),
        "chunked": put((part for part in [good[:20].encode(), good[20:].encode()]), **as_json),
        "gzipped": put(gzip.compress(good.encode()), **as_json, **{"Content-Encoding": "gzip"}),
        "deep": put("[" * 100_000 + "]" * 100_000, **as_json),
        "tenMegabytes": put(json.dumps({"location": "eastus", "tags": {"a": "x" * 10_000_000}}), **as_json),
        "hundredMegabytes": put(b'"' + b"x" * 100_000_000 + b'"', **as_json),
        "prototype": put('{"location": "eastus", "__proto__": {"admin": true}, "tags": {"__proto__": "x"}}', **as_json),
    }


def crowd():
    """Fifty threads, each with a connection of its own that it keeps."""

    def work(number):
        with requests.Session() as session:
            session.headers.update(bearer(vault_token))
            answers = []
            for turn in range(10):
                url, params = f"{VAULT}/secrets/crowd-{number}", {"api-version": "7.4"}
                answers.append(session.put(url, json={"value": f"{number}-{turn}"}, params=params, timeout=60).status_code)
                answer = session.get(url, params=params, timeout=60)
                answers.append(answer.status_code if answer.json().get("value") == f"{number}-{turn}" else "stale")
            return answers

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = [answer for each in pool.map(work, range(50)) for answer in each]
    return {"answers": len(answers), "kinds": sorted({str(each) for each in answers})}


report({"paths": paths(), "tokens": tokens(), "bodies": bodies(), "crowd": crowd()})
