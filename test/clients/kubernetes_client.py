"""The official client against the sandbox's cluster, by nothing but KUBECONFIG: objects of both kinds, a watch, a refusal."""

import json
import sys

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException

VIEWER_KUBECONFIG = sys.argv[1]
NAMESPACE = "python"

config.load_kube_config()
core = client.CoreV1Api()
report = {"nodes": sorted(node.metadata.name for node in core.list_node().items)}

core.create_namespace({"metadata": {"name": NAMESPACE}})

# A watch from before the first write sees it.
start = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "note"}, "data": {"is": "here"}})
events = watch.Watch()
for event in events.stream(core.list_namespaced_config_map, NAMESPACE, resource_version=start, timeout_seconds=60):
    if event["object"].metadata.name == "note":
        report["watched"] = [event["type"], event["object"].data]
        events.stop()

# Server-side apply of a custom resource, twice by the same manager and then by another one.
notebooks = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="kubeflow.org/v1", kind="Notebook")


def notebook(image):
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "Notebook",
        "metadata": {"name": "book"},
        "spec": {"template": {"spec": {"containers": [{"name": "book", "image": image}]}}},
    }


def apply(image, manager):
    answer = notebooks.server_side_apply(
        body=notebook(image), name="book", namespace=NAMESPACE, field_manager=manager
    )
    return answer.spec.template.spec.containers[0].image


report["applied"] = [apply("registry.example/book:1", "one"), apply("registry.example/book:2", "one")]


def refusal(call):
    try:
        return {"answer": str(call())}
    except ApiException as error:
        body = json.loads(error.body)
        return {"status": error.status, "reason": body["reason"], "message": body["message"]}


report["conflict"] = refusal(lambda: apply("registry.example/book:3", "another"))

viewer = client.CoreV1Api(config.new_client_from_config(VIEWER_KUBECONFIG))
report["refused"] = refusal(lambda: viewer.list_namespaced_config_map(NAMESPACE))

json.dump(report, sys.stdout)
