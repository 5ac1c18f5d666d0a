#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Changes a cluster and writes down the truth about every change.

usage: churn.py KUBECONFIG --truth FILE [--resume FILE]... [--seed N] [--objects N]
                [--ops N] [--rate N] [--threads N] [--namespace PREFIX]
       churn.py KUBECONFIG --bulk N [--size BYTES] [--threads N] [--namespace PREFIX]
                [--truth FILE]

Makes two namespaces PREFIX-a and PREFIX-b, the CRD widgets.lab.kollect.test,
and --objects objects of the kinds in objects.py; then does --ops operations
on them (create, replace, patch, label, write the status, delete, delete and
create anew under the same name, delete with a finalizer) at --rate a second
in all (0: flat out). The same seed makes the same objects and operations.
--resume goes on with what the truth of the former runs, in their order, says
exists. SIGTERM ends the run early, in order.

--bulk N creates N ConfigMaps of BYTES bytes of data in the namespace
PREFIX-bulk, as fast as it can.

The truth is one line of JSON a write that changed something: {"op": "created"
| "updated" | "deleted", "apiVersion", "kind", "namespace", "name", "uid",
"resourceVersion", "object"}, in order for each object; object is the state
after the write as the server answered it, for "deleted" the last one before.
The resourceVersion of a deletion is null where the answer does not tell it.
"shared": true marks an object that the server itself writes too.
truth.py compares it with what was published.
"""
import argparse
import json
import random
import signal
import sys
import threading
import time

import objects
from kubeapi import Api, ApiError, path_of

MERGE = "application/merge-patch+json"

# How often each operation is chosen.
WEIGHTS = {"replace": 30, "patch": 25, "label": 10, "status": 8, "create": 12,
           "delete": 7, "recreate": 5, "hold": 3}


class Truth:
    """The file of truth, shared by the threads."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8", buffering=1) if path else None
        self.lock = threading.Lock()
        self.counts = {"created": 0, "updated": 0, "deleted": 0}

    def write(self, op, obj, version, shared=False):
        meta = obj["metadata"]
        line = {"op": op, "apiVersion": obj["apiVersion"], "kind": obj["kind"],
                "namespace": meta.get("namespace", ""), "name": meta["name"],
                "uid": meta["uid"], "resourceVersion": version, "object": obj}
        if shared:
            line["shared"] = True
        with self.lock:
            self.counts[op] += 1
            if self.file:
                self.file.write(json.dumps(line, ensure_ascii=False) + "\n")


class Pace:
    """Gives each operation its time, --rate a second over all threads."""

    def __init__(self, rate):
        self.gap_s = 1 / rate if rate else 0
        self.next = time.monotonic()
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def wait(self):
        with self.lock:
            self.next = max(self.next + self.gap_s, time.monotonic() - 1)
            due = self.next
        if self.gap_s:
            self.stop.wait(max(0, due - time.monotonic()))
        return not self.stop.is_set()


class Writer:
    """One thread's objects and connection. No other thread writes to them."""

    def __init__(self, args, number, truth, live):
        self.api = Api(args.kubeconfig)
        self.rng = random.Random(f"{args.seed}.{number}")
        self.truth = truth
        self.live = live  # the objects that exist, in their last state
        self.prefix = f"{args.seed}-{number}"
        self.namespaces = [args.namespace + "-a", args.namespace + "-b"]
        self.made = 0

    def changed(self, old, new):
        """Remembers the new state; a write that changed nothing is no write."""
        if new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
            self.truth.write("updated", new, new["metadata"]["resourceVersion"])
        self.live[self.live.index(old)] = new

    def gone(self, old, answer):
        """Tells the truth of a deletion out of the answer to it."""
        version = None
        if answer["kind"] == old["kind"]:
            version = answer["metadata"]["resourceVersion"]
            if version == old["metadata"]["resourceVersion"]:
                version = None  # the state before, not that of the deletion
        self.truth.write("deleted", old, version)
        self.live.remove(old)

    def post(self, obj):
        answer = self.api.call("POST", path_of(obj), obj)
        self.truth.write("created", answer, answer["metadata"]["resourceVersion"])
        self.live.append(answer)

    def send_patch(self, old, patch, subresource=""):
        path = self.at(old) + subresource
        return self.api.call("PATCH", path, patch, MERGE)

    @staticmethod
    def at(obj):
        return f"{path_of(obj)}/{obj['metadata']['name']}"

    def create(self):
        kind = self.rng.choice(sorted(objects.KINDS))
        self.made += 1
        name = f"{kind.lower()}-{self.prefix}-{self.made}"
        self.post(objects.new(self.rng, kind, self.rng.choice(self.namespaces), name))

    def replace(self, old):
        new = json.loads(json.dumps(old))
        for member, value in objects.change(self.rng, old["kind"]).items():
            if isinstance(value, dict) and isinstance(new.get(member), dict):
                new[member] = {**new[member], **value}
            else:
                new[member] = value
        self.changed(old, self.api.call("PUT", self.at(old), new))

    def patch(self, old):
        self.changed(old, self.send_patch(old, objects.change(self.rng, old["kind"])))

    def label(self, old):
        value = self.rng.choice([None, "x", f"v{self.rng.randrange(99)}"])
        patch = {"metadata": {"labels": {f"l{self.rng.randrange(3)}": value}}}
        self.changed(old, self.send_patch(old, patch))

    def status(self, old):
        if not objects.has_status(old["kind"]):
            return self.patch(old)
        patch = objects.status(self.rng, old["kind"])
        self.changed(old, self.send_patch(old, patch, "/status"))
        return None

    def delete(self, old):
        self.gone(old, self.api.call("DELETE", self.at(old)))

    def recreate(self, old):
        meta = old["metadata"]
        self.delete(old)
        self.post(objects.new(self.rng, old["kind"], meta["namespace"], meta["name"]))

    def hold(self, old):
        """A deletion that waits for a finalizer: three writes."""
        place = self.live.index(old)
        self.changed(old, self.send_patch(old, {"metadata": {"finalizers": [objects.FINALIZER]}}))
        self.changed(self.live[place], self.api.call("DELETE", self.at(old)))
        last = self.live[place]
        self.send_patch(last, {"metadata": {"finalizers": None}})
        self.gone(last, {"kind": "Status"})

    def operate(self):
        names = list(WEIGHTS)
        name = self.rng.choices(names, WEIGHTS.values())[0]
        if name == "create" or not self.live:
            self.create()
        else:
            getattr(self, name)(self.rng.choice(self.live))


def prepare(api, truth, namespaces):
    """Namespaces and the CRD, unless they exist, and its type being served."""
    for name in namespaces:
        make_shared(api, truth, {"apiVersion": "v1", "kind": "Namespace",
                                 "metadata": {"name": name}})
    make_shared(api, truth, objects.WIDGET_CRD)
    deadline = time.monotonic() + 30
    while True:
        try:
            return api.call("GET", f"/apis/lab.kollect.test/v1/namespaces/{namespaces[0]}/widgets")
        except ApiError as e:
            if e.code not in (404, 503) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def make_shared(api, truth, obj):
    try:
        answer = api.call("POST", path_of(obj), obj)
    except ApiError as e:
        if e.code != 409:
            raise
        return
    truth.write("created", answer, answer["metadata"]["resourceVersion"],
                shared=obj["kind"] == "CustomResourceDefinition")


def still_live(paths):
    """What exists after the writes in the truth files, of our kinds."""
    live = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for line in map(json.loads, f):
                if line["op"] == "deleted":
                    del live[line["uid"]]
                elif line["kind"] in objects.KINDS:
                    live[line["uid"]] = line["object"]
    return list(live.values())


def in_threads(count, work):
    """Runs work(0) to work(count - 1) at once; the first failure is raised."""
    failures = []

    def guarded(n):
        try:
            work(n)
        except Exception as e:  # to be told by the main thread
            failures.append(e)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def share(total, count, n):
    """The n-th thread's part of the total."""
    return total // count + (n < total % count)


def churn(args, truth, pace):
    resumed = still_live(args.resume)
    prepare(Api(args.kubeconfig), truth, [args.namespace + "-a", args.namespace + "-b"])

    def work(n):
        writer = Writer(args, n, truth, resumed[n::args.threads])
        for _ in range(share(args.objects, args.threads, n)):
            if not pace.wait():
                return
            writer.create()
        for _ in range(share(args.ops, args.threads, n)):
            if not pace.wait():
                return
            writer.operate()

    in_threads(args.threads, work)


def bulk(args, truth, pace):
    namespace = args.namespace + "-bulk"
    make_shared(Api(args.kubeconfig), truth,
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    value = ("kollect " * (args.size // 8 + 1))[:args.size]

    def work(n):
        api = Api(args.kubeconfig)
        for i in range(n, args.bulk, args.threads):
            if not pace.wait():
                return
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": value},
                   "metadata": {"name": f"bulk-{args.seed}-{i}", "namespace": namespace}}
            answer = api.call("POST", path_of(obj), obj)
            truth.write("created", answer, answer["metadata"]["resourceVersion"])

    in_threads(args.threads, work)


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    p.add_argument("kubeconfig")
    p.add_argument("--truth")
    p.add_argument("--resume", action="append", default=[])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--objects", type=int, default=60)
    p.add_argument("--ops", type=int, default=500)
    p.add_argument("--rate", type=float, default=0)
    p.add_argument("--threads", type=int, default=4)
    p.add_argument("--namespace", default="churn")
    p.add_argument("--bulk", type=int)
    p.add_argument("--size", type=int, default=1024)
    args = p.parse_args()
    if not args.bulk and not args.truth:
        p.error("--truth FILE is needed")
    return args


def main():
    args = arguments()
    truth, pace = Truth(args.truth), Pace(args.rate)

    def terminated(*_):
        # Once: a handler within this one would wait for ever for the lock that set() holds.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pace.stop.set()

    signal.signal(signal.SIGTERM, terminated)
    began = time.monotonic()
    try:
        (bulk if args.bulk else churn)(args, truth, pace)
    except (ApiError, OSError) as e:
        sys.exit(f"churn.py: {e}")
    c, took = truth.counts, time.monotonic() - began
    print(f"churn: {sum(c.values())} writes ({c['created']} created, {c['updated']} updated, "
          f"{c['deleted']} deleted) in {took:.1f} s")


main()
