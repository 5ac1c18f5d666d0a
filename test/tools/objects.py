# SPDX-License-Identifier: Apache-2.0
"""The objects that churn.py writes: how each kind is made and changed."""

FINALIZER = "kollect.test/held"

WIDGET_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.lab.kollect.test"},
    "spec": {
        "group": "lab.kollect.test",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wi"]},
        "versions": [{
            "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}},
        }],
    },
}

# Strings that a scanner of JSON could trip over; the server escapes some.
AWKWARD = ["", "plain", 'quote " backslash \\ slash /', "line\nfeed\ttab\r", "<b>&amp;</b>",
           "{\"looks\":[\"like\",{\"json\":\"}\"}]}", "snow ☃, clef 𝄞, é", "\u2028\u2029\x7f",
           "ends in backslash \\", "\"metadata\":{\"uid\":\"not this\"}"]


def text(rng):
    return rng.choice(AWKWARD) + str(rng.randrange(1_000_000))


def config_map(rng):
    return {"data": {f"k{i}": text(rng) for i in range(rng.randrange(1, 6))},
            "binaryData": {"b": "AAEC/w=="}}


def secret(rng):
    return {"stringData": {"password": text(rng)}, "type": "Opaque"}


def service(rng):
    return {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": rng.randrange(1, 9999)}],
                     "selector": {"app": f"a{rng.randrange(99)}"}}}


def deployment(rng):
    pod = {"metadata": {"labels": {"app": "a"}},
           "spec": {"containers": [{"name": "c", "image": f"example.test/c:{rng.randrange(99)}",
                                    "env": [{"name": "E", "value": text(rng)}]}]}}
    return {"spec": {"replicas": rng.randrange(9), "selector": {"matchLabels": {"app": "a"}},
                     "template": pod}}


def service_account(rng):
    return {"automountServiceAccountToken": rng.random() < 0.5,
            "imagePullSecrets": [{"name": f"s{rng.randrange(9999)}"}]}


def widget(rng):
    return {"spec": {"size": rng.randrange(1_000_000), "ratio": rng.random() * 1e-7,
                     "text": text(rng), "none": {}, "list": [[], [{}], [True, False, 1.5e300]]}}


# kind: (apiVersion, content, whether its status is written apart)
KINDS = {
    "ConfigMap": ("v1", config_map, False),
    "Secret": ("v1", secret, False),
    "Service": ("v1", service, False),
    "ServiceAccount": ("v1", service_account, False),
    "Deployment": ("apps/v1", deployment, True),
    "Widget": ("lab.kollect.test/v1", widget, True),
}


def new(rng, kind, namespace, name):
    version, content, _ = KINDS[kind]
    return {"apiVersion": version, "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, **content(rng)}


def has_status(kind):
    return KINDS[kind][2]


def status(rng, kind):
    if kind == "Deployment":
        return {"status": {"replicas": rng.randrange(99)}}
    return {"status": {"seen": rng.randrange(1_000_000), "said": text(rng)}}


def change(rng, kind):
    """A merge patch that changes the kind's content (most likely)."""
    patch = KINDS[kind][1](rng)
    patch.pop("type", None)
    if kind == "Deployment":
        patch["spec"].pop("selector")
    return patch
