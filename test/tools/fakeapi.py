#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An API server that misbehaves, for what a real one does too seldom to test.

usage: fakeapi.py SCENARIO LOG

Serves HTTP on a free port of 127.0.0.1, prints it, and appends each request's
path and Accept header to LOG. It knows pods by the older form of discovery. A scenario is the
name of a function below: a generator that is asked once for each request for
pods, and yields (status, headers, [chunks of the body], how it ends). Body
chunks are written as they are; it ends "whole", "cut" (the connection is
closed in the middle) or "silent" (nothing more comes). Anything else is 404,
but for the answers that stand in OTHERS.
"""
import http.server
import json
import sys
import threading
import time


def pod(name, version, **more):
    return {"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": name, "uid": "u-" + name, "resourceVersion": str(version),
                         **more}}


def event(kind, obj):
    return json.dumps({"type": kind, "object": obj}, separators=(",", ":")).encode() + b"\n"


def bookmark(version, end=False):
    more = {"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}
    obj = pod("", version, **more)
    return event("BOOKMARK", obj)


def status(code, reason, message="no", **details):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
            "reason": reason, "message": message, "details": details}


def refuse(code, reason, message="no", headers=(), **details):
    text = json.dumps(status(code, reason, message, **details))
    return code, dict(headers), [text.encode()], "whole"


def items(names, version, follow=None):
    meta = {"resourceVersion": str(version)}
    if follow:
        meta["continue"] = follow
    bare = [{k: v for k, v in pod(n, i + 1).items() if k == "metadata"}
            for i, n in enumerate(names)]
    # The metadata comes last, as with custom resources.
    text = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": bare, "metadata": meta})
    return 200, {}, [text.encode()], "whole"


def partial(names, version):
    """As a server makes it when metadata alone is asked for: that of the list comes first."""
    code, headers, (text,), ends = items(names, version)
    lists = json.loads(text)
    lists["items"] = lists.pop("items")
    return code, headers, [json.dumps(lists).encode()], ends


def watch(*chunks, ends="silent"):
    return 200, {}, list(chunks), ends


def synced(*names, version=10):
    return [event("ADDED", pod(n, i + 1)) for i, n in enumerate(names)] + [bookmark(version, True)]


def empty():
    """A cluster with nothing in it."""
    yield watch(*synced())


def refused_422():
    """No WatchList: a list and a watch instead."""
    yield refuse(422, "Invalid")
    yield items(["a", "b"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def refused_in_stream():
    yield watch(event("ERROR", status(500, "InternalError")), ends="whole")
    yield items(["a", "b"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def ignored_twice():
    """A server that takes it for an ordinary watch, and ends that."""
    yield watch(event("ADDED", pod("a", 1)), ends="whole")
    yield watch(event("ADDED", pod("a", 1)), ends="whole")
    yield items(["a", "b"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def silent_watch_list():
    yield watch(event("ADDED", pod("a", 1)))
    yield items(["a", "b"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def cut_line():
    """The connection breaks in the middle of a line."""
    yield watch(*synced("a"), event("ADDED", pod("b", 11)), b'{"type":"ADDED","obj', ends="cut")
    yield watch(event("ADDED", pod("c", 12)))


def split_lines():
    """Every byte comes alone."""
    text = b"".join(synced("a")) + event("ADDED", pod("c", 11))
    yield watch(*[text[i:i + 1] for i in range(len(text))])


def gone_in_stream():
    yield watch(*synced("a"), event("ERROR", status(410, "Expired")), ends="whole")
    yield watch(*synced("a", "b", version=20), event("ADDED", pod("c", 21)))


def gone_at_start():
    yield watch(*synced("a"), event("ADDED", pod("b", 11)), ends="whole")
    yield refuse(410, "Gone")
    yield watch(*synced("a", "b", version=20), event("ADDED", pod("c", 21)))


def gone_page():
    """The second page has expired: the list begins anew."""
    yield refuse(422, "Invalid")
    yield items(["a"], 10, "next")
    yield refuse(410, "Expired")
    yield items(["a", "b"], 20)
    yield watch(event("ADDED", pod("c", 21)))


def busy():
    """429 as priority and fairness says it, and 503 with a Status, then it works."""
    yield 429, {"Retry-After": "1", "Content-Type": "text/plain"}, \
        [b"Too many requests, please try again later.\n"], "whole"
    yield refuse(503, "ServiceUnavailable", retryAfterSeconds=1)
    yield watch(*synced("a"), event("ADDED", pod("c", 11)))


def malformed():
    yield watch(*synced("a"), b'{"type":"ADDED","object":{"kind":"Pod",}}\n')
    yield watch(event("ADDED", pod("c", 11)))


def other_kind():
    yield watch(*synced("a"), event("ADDED", {**pod("t", 11), "kind": "Table"}))
    yield watch(event("ADDED", pod("c", 11)))


def long_line():
    """One line of 70 MiB, then a good watch."""
    yield watch(*synced("a"), b'{"type":"ADDED","object":{"kind":"Pod","data":"',
                *[b"x" * 1048576] * 70)
    yield watch(event("ADDED", pod("c", 11)))


def cut_list():
    yield refuse(422, "Invalid")
    code, headers, chunks, _ = items(["a", "b"], 10)
    yield code, headers, [chunks[0][:-20]], "whole"
    yield items(["a", "b"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def unknown_field():
    """A selector that the type does not know, until it does."""
    for _ in range(2):
        yield refuse(400, "BadRequest", message="field label not supported: spec.x")
    yield items(["a"], 10)
    yield watch(event("ADDED", pod("c", 11)))


def unauthorized():
    yield refuse(401, "Unauthorized")
    yield watch(*synced("a"), event("ADDED", pod("c", 11)))


def went_back():
    """A cluster that was restored from a backup, while its watches stay open."""
    yield watch(*synced("a", version=10))
    yield partial(["a"], 9)
    yield watch(*synced("a", version=9), event("ADDED", pod("c", 10)))


def audit_late():
    """A list whose resourceVersion comes behind the items, then a good one."""
    yield watch(*synced("a", version=10))
    yield items(["a"], 10)
    yield partial(["a", "c"], 10)


def resumed():
    """A watch that ends with nothing to tell, and one that has something."""
    yield watch(bookmark(10), ends="whole")
    yield watch(bookmark(11), event("ADDED", pod("c", 12)))


def resumed_gone():
    yield refuse(410, "Expired")
    yield watch(*synced("a", version=20), event("ADDED", pod("c", 21)))


def resumed_gone_in_stream():
    yield watch(event("ERROR", status(410, "Expired")), ends="whole")
    yield watch(*synced("a", version=20), event("ADDED", pod("c", 21)))


def resumed_slow():
    """A snapshot that takes longer than it does to see that a type is gone."""
    yield refuse(410, "Expired")
    yield watch(event("ADDED", pod("a", 1)))
    yield items(["a", "b"], 20)


def resumed_denied():
    yield refuse(403, "Forbidden")


def resumed_starting():
    """A server that is starting when it is asked for a type that it does not tell of."""
    yield watch(event("ADDED", pod("c", 12)))


OTHERS = {"resumed_starting": [refuse(503, "ServiceUnavailable"),
                               refuse(503, "ServiceUnavailable")]}


PODS = {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
    {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod",
     "verbs": ["list", "watch"], "shortNames": ["po"]}]}
DISCOVERY = {"/api": {"kind": "APIVersions", "versions": ["v1"]},
             "/apis": {"kind": "APIGroupList", "groups": []}, "/api/v1": PODS}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        if path in DISCOVERY:
            self.answer(200, {}, [json.dumps(DISCOVERY[path]).encode()], "whole")
            return
        with LOCK:
            with open(sys.argv[2], "a", encoding="utf-8") as log:
                log.write(f"{self.path} {self.headers.get('Accept')}\n")
            if path == "/api/v1/pods":
                turn = next(SCENARIO, None)
            else:
                turn = next(OTHER, None) or refuse(404, "NotFound")
        self.answer(*(turn or watch()))

    def answer(self, code, headers, chunks, ends):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.flush()
        if ends == "silent":
            while True:
                time.sleep(3600)
        if ends == "whole":
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True


LOCK = threading.Lock()
SCENARIO = globals()[sys.argv[1]]()
OTHER = iter(OTHERS.get(sys.argv[1], []))
SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
print(SERVER.server_address[1], flush=True)
SERVER.serve_forever()
