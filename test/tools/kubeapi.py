# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server over one kept-alive connection; no library needed."""
import base64
import http.client
import json
import os
import ssl
import tempfile
import time
import urllib.parse

# The types that the tests write: (apiVersion, kind) to path of the collection.
PATHS = {
    ("v1", "Namespace"): "/api/v1/namespaces",
    ("v1", "ConfigMap"): "/api/v1/namespaces/{ns}/configmaps",
    ("v1", "Secret"): "/api/v1/namespaces/{ns}/secrets",
    ("v1", "Service"): "/api/v1/namespaces/{ns}/services",
    ("v1", "ServiceAccount"): "/api/v1/namespaces/{ns}/serviceaccounts",
    ("apps/v1", "Deployment"): "/apis/apps/v1/namespaces/{ns}/deployments",
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"):
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ("lab.kollect.test/v1", "Widget"): "/apis/lab.kollect.test/v1/namespaces/{ns}/widgets",
}


class ApiError(Exception):
    def __init__(self, method, path, code, body):
        super().__init__(f"{method} {path}: {code} {body[:300]!r}")
        self.code = code


def path_of(obj):
    """The collection that an object belongs to."""
    meta = obj["metadata"]
    return PATHS[obj["apiVersion"], obj["kind"]].format(ns=meta.get("namespace"))


class Api:
    """Not to be shared between threads: one each."""

    def __init__(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as f:
            config = json.load(f)  # test/lib/k8s.bash writes it as JSON
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        self.headers = {"User-Agent": "kollect-test", "Accept": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = "Bearer " + user["token"]
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=ca)
        if "client-certificate-data" in user:
            self.load_certificate(user)
        at = urllib.parse.urlsplit(cluster["server"])
        self.conn = http.client.HTTPSConnection(at.hostname, at.port, context=self.tls, timeout=60)

    def load_certificate(self, user):
        """Python loads a client's certificate from files alone."""
        with tempfile.TemporaryDirectory() as d:
            for name in ("client-certificate-data", "client-key-data"):
                with open(os.path.join(d, name), "wb") as f:
                    f.write(base64.b64decode(user[name]))
            self.tls.load_cert_chain(os.path.join(d, "client-certificate-data"),
                                     os.path.join(d, "client-key-data"))

    def call(self, method, path, body=None, content="application/json"):
        """The answer's object; ApiError for a code of 300 and above."""
        data = json.dumps(body).encode() if body is not None else None
        headers = dict(self.headers)
        if data is not None:
            headers["Content-Type"] = content
        for _ in range(100):
            self.conn.request(method, path, data, headers)
            answer = self.conn.getresponse()
            text = answer.read()
            if answer.status != 429:
                break
            # Nothing was done: too much at once, or a CRD's storage is not
            # there yet. The second that the server asks for is long here.
            time.sleep(0.1)
        if answer.status >= 300:
            raise ApiError(method, path, answer.status, text.decode(errors="replace"))
        return json.loads(text)
