#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what was published with the truth that churn.py wrote.

usage: truth.py [--live FILE | --missed FILE | --known FILE]... [--records]
                [--allow-duplicates] [--by-uid] [--gaps] [--shown-secrets] < events

Standard input is what `kenvelope --decode` prints, or with --records what
kdiff does. The truth files are given in the order of their writes:

  --live FILE     each write of it must be published
  --missed FILE   written while nothing was watching: of each object only the
                  difference between before and after must be published
  --known FILE    nothing of it must be published

An event must have the kind of change, uid and resourceVersion of a write, the
state that the write left (`resource`, `now`) and the one before (`then`), and
come in the object's order. Values of Secrets must have been taken out, unless
--shown-secrets. A duplicate with the same id is a failure too, unless
--allow-duplicates, which counts them. An object's order is that of its name: the deletion of one
comes before the creation of the next. With --by-uid it is that of each uid, which
is all that a bus keeps whose key is the uid. With --gaps writes may have been missed: each object must be
published in states that writes left, in their order, each with the one published before, and end in
its last one, or its deletion. Objects that the truth does not know are passed over, but
not in the namespaces of its objects, unless they are Events.

Prints each difference (the first 20) on standard error, and
  truth: N writes, N published, N missing, N out of order, N duplicates, N false, N unequal
Exit code 1 on any difference, and when the truth expects nothing.
"""
import argparse
import bisect
import collections
import json
import sys
import uuid

# Of the ids of events, see proto/kollect/event/v1/event.proto.
ID_NAMESPACE = uuid.UUID("00faed4c-d365-5d6c-babd-cb12cf27c574")

Event = collections.namedtuple("Event", "op uid key version then now id seq")
Key = collections.namedtuple("Key", "group kind namespace name")


class Expected:
    """A change that must be published. then and now: states, or None."""

    def __init__(self, op, uid, key, version, then, now):
        self.op, self.uid, self.key, self.version = op, uid, key, version
        self.then, self.now = then, now

    def identity(self):
        return identity(self.op, self.uid, self.version)


def identity(op, uid, version):
    """What makes a change of an object unique. An object is created and
    deleted once, whatever resourceVersion a snapshot shows it at."""
    return (op, uid, version if op == "updated" else None)


def key_of(version, kind, namespace, name):
    """Another version of the same group shows the same objects."""
    group = version.split("/")[0] if "/" in version else ""
    return Key(group, kind, namespace or "", name)


def key_of_object(obj):
    meta = obj["metadata"]
    return key_of(obj["apiVersion"], obj["kind"], meta.get("namespace"), meta["name"])


class Truth:
    def __init__(self):
        self.changes = {}     # key to [Expected], in order
        self.state = {}       # key to (uid, resourceVersion, object) of what exists
        self.keys = {}        # uid to key
        self.shared = set()   # keys of what the server writes too
        self.namespaces = set()
        self.writes = 0

    def expect(self, *fields):
        expected = Expected(*fields)
        self.changes.setdefault(expected.key, []).append(expected)
        self.writes += 1

    def load(self, mode, path):
        before = dict(self.state)
        touched = {}
        with open(path, encoding="utf-8") as f:
            for line in map(json.loads, f):
                touched[self.write(line, mode == "live")] = True
        if mode == "missed":
            for key in touched:
                self.difference(key, before.get(key), self.state.get(key))

    def write(self, w, live):
        key = key_of(w["apiVersion"], w["kind"], w["namespace"], w["name"])
        self.keys[w["uid"]] = key
        if w["namespace"]:
            self.namespaces.add(w["namespace"])
        if w.get("shared"):
            self.shared.add(key)
        _, _, then = self.state.get(key, (None, None, None))
        now = w["object"] if w["op"] != "deleted" else None
        if now:
            self.state[key] = (w["uid"], w["resourceVersion"], now)
        else:
            del self.state[key]
        if live:
            self.expect(w["op"], w["uid"], key, w["resourceVersion"], then, now)
        return key

    def difference(self, key, before, after):
        if before and after and before[0] == after[0]:
            if before[1] != after[1]:
                self.expect("updated", after[0], key, after[1], before[2], after[2])
            return
        if before:
            self.expect("deleted", before[0], key, None, before[2], None)
        if after:
            self.expect("created", after[0], key, after[1], None, after[2])


def decoded(line):
    """An event as `kenvelope --decode` prints it; None for a Gap."""
    payload = line["payload"]
    name = payload["@type"].removeprefix("type.googleapis.com/kollect.resource.event.v1.")
    if name == "Gap":
        return None
    op = {"ResourceCreatedEvent": "created", "ResourceUpdatedEvent": "updated",
          "ResourceDeletedEvent": "deleted"}[name]
    then, now = payload.get("then"), payload.get("now", payload.get("resource"))
    ref = line["reference"]
    key = Key(ref.get("group", ""), ref["kind"], ref.get("namespace", ""), ref["name"])
    version = ref["resourceVersion"]
    if now and (key_of_object(now), now["metadata"]["resourceVersion"]) != (key, version):
        raise ValueError(f"the reference {ref} is not of the object")
    if line["id"] != id_of(payload["clusterId"], payload["uid"], version, op):
        raise ValueError(f"the id {line['id']} is not the one of the change")
    return Event(op, payload["uid"], key, version, then, now, line["id"], line.get("seq"))


def id_of(cluster, uid, version, op):
    return str(uuid.uuid5(ID_NAMESPACE, f"{cluster}/{uid}/{version}/{op}"))


def record(line):
    """A record of kdiff."""
    key = key_of(line["apiVersion"], line["kind"], line.get("namespace"), line["name"])
    return Event(line["type"], line["uid"], key, line["resourceVersion"],
                 line.get("then"), line.get("now"), line["seq"], line["seq"])


class Comparison:
    def __init__(self, truth, options):
        self.truth, self.options = truth, options
        self.events = {}
        self.ids = {}
        self.count = collections.Counter()
        self.said = 0

    def wrong(self, what, key, detail):
        self.count[what] += 1
        self.said += 1
        if self.said <= 20:
            print(f"truth: {what}: {key.kind} {key.namespace}/{key.name}: {detail}",
                  file=sys.stderr)

    def add(self, event):
        if event is None:
            return
        key = self.truth.keys.get(event.uid)
        if key is None:
            # The server writes Events of its own, as when it finds a Service's address not noted.
            if event.key.namespace not in self.truth.namespaces or event.key.kind == "Event":
                return
            key = event.key
        elif event.key != key:
            self.wrong("unequal", key, f"published as {event.key}")
        same = identity(event.op, event.uid, event.version)
        if self.ids.setdefault(event.id, same) != same:
            self.wrong("unequal", key, f"id {event.id} stands for another change too")
        self.count["published"] += 1
        self.events.setdefault(key, []).append(event)

    def compare(self):
        for key in self.truth.changes.keys() | self.events.keys():
            self.compare_object(key, self.truth.changes.get(key, []), self.events.get(key, []))

    def compare_object(self, key, expected, events):
        if self.options.gaps:
            self.compare_with_gaps(key, expected, events)
            return
        shared = key in self.truth.shared
        if shared:  # the server's own updates are not known
            events = [e for e in events if e.op != "updated"]
        place = {e.identity(): n for n, e in enumerate(expected)}
        seen = {}
        for event in events:
            same = identity(event.op, event.uid, event.version)
            told = f"{event.op} uid {event.uid} resourceVersion {event.version}"
            if same in seen:
                self.count["repeated"] += 1
                if not self.options.allow_duplicates or event.id != seen[same].id:
                    self.wrong("duplicates", key, told)
            elif same not in place:
                self.wrong("false", key, told)
            else:
                seen[same] = event
                if not shared:
                    self.compare_states(expected[place[same]], event)
        for e in expected:
            if e.identity() not in seen:
                self.wrong("missing", key, f"{e.op} uid {e.uid} resourceVersion {e.version}")
        told = collections.defaultdict(list)
        for same, event in seen.items():
            told[event.uid if self.options.by_uid else None].append((place[same], event))
        for part in told.values():
            self.compare_order(key, [p for p, _ in part], [e for _, e in part])

    def compare_with_gaps(self, key, expected, events):
        writes, told = collections.defaultdict(list), collections.defaultdict(list)
        for e in expected:
            writes[e.uid].append(e)
        seen = {}
        for event in events:
            same = identity(event.op, event.uid, event.version)
            if same not in seen:
                seen[same] = event
                told[event.uid].append(event)
                continue
            self.count["repeated"] += 1
            if not self.options.allow_duplicates or event.id != seen[same].id:
                self.wrong("duplicates", key, f"{event.op} uid {event.uid}")
        for uid in writes.keys() | told.keys():
            if key not in self.truth.shared:
                self.compare_steps(key, writes[uid], told[uid])

    def compare_steps(self, key, writes, events):
        """Each event must lead on from what was published of the uid before."""
        place = {w.version: n for n, w in enumerate(writes) if w.now}
        gone = writes and writes[-1].op == "deleted"
        at = None
        for n, e in enumerate(events):
            told = f"{e.op} uid {e.uid} resourceVersion {e.version}"
            if (e.op == "created") != (n == 0) or (e.op == "deleted" and not gone) or \
                    (e.op != "deleted" and e.version not in place):
                self.wrong("false", key, told)
                return
            now = len(writes) - 1 if e.op == "deleted" else place[e.version]
            if at is not None and now <= at:
                self.wrong("out of order", key, told)
                return
            then = writes[at].now if at is not None else None
            if e.op == "deleted" and without_version(e.then) == without_version(writes[-1].then):
                then = writes[-1].then  # the watch has shown the deletion
            self.compare_states(Expected(e.op, e.uid, key, None, then, writes[now].now), e)
            at = now
        if writes and at != len(writes) - 1 and (at is not None or not gone):
            self.wrong("missing", key, f"{writes[-1].op} uid {writes[-1].uid}")

    def compare_order(self, key, places, events):
        """Those out of order: what the longest ordered part leaves out."""
        tails = []
        for p in places:
            n = bisect.bisect_left(tails, p)
            tails[n:n + 1] = [p]
        for _ in range(len(places) - len(tails)):
            self.wrong("out of order", key, f"{places}")
        seqs = [int(e.seq) for e in events if e.seq is not None]
        if seqs != sorted(set(seqs)):
            self.wrong("out of order", key, f"sequence numbers {seqs}")

    def compare_states(self, expected, event):
        for name in ("then", "now"):
            right, got = getattr(expected, name), getattr(event, name)
            if expected.op == "deleted":
                if name == "now" or got is None:  # the last state may be left out
                    continue
                right, got = without_version(right), without_version(got)
            if event.key.kind == "Secret" and not self.options.shown_secrets:
                self.check_redacted(expected, right, got)
                right, got = without_values(right), without_values(got)
            if right != got:
                self.wrong("unequal", expected.key,
                           f"{name} of {expected.op} {expected.version}: {differing(right, got)}")
        # A deletion that a watch showed has a resourceVersion of its own.
        if expected.op == "deleted" and expected.version and event.version not in (
                None, expected.version, expected.then["metadata"]["resourceVersion"]):
            self.wrong("unequal", expected.key,
                       f"deleted at {expected.version}, published {event.version}")

    def check_redacted(self, expected, right, got):
        secret = {v for v in ((right or {}).get("data") or {}).values() if v}
        if secret & set(((got or {}).get("data") or {}).values()):
            self.wrong("unequal", expected.key, "the Secret's values were published")


def without_version(obj):
    if obj is None:
        return None
    meta = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    return {**obj, "metadata": meta}


def without_values(obj):
    if obj is None or not isinstance(obj.get("data"), dict):
        return obj
    return {**obj, "data": dict.fromkeys(obj["data"])}


def differing(a, b, path=""):
    """Where two JSON values differ first."""
    if isinstance(a, dict) and isinstance(b, dict):
        for k in a.keys() | b.keys():
            if a.get(k) != b.get(k) or (k in a) != (k in b):
                return differing(a.get(k), b.get(k), f"{path}.{k}")
    return f"{path or '.'}: {json.dumps(a)[:120]} is published as {json.dumps(b)[:120]}"


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    for mode in ("live", "missed", "known"):
        p.add_argument("--" + mode, dest="parts", action="append", default=[],
                       type=lambda path, mode=mode: (mode, path))
    p.add_argument("--records", action="store_true")
    p.add_argument("--allow-duplicates", action="store_true")
    p.add_argument("--by-uid", action="store_true")
    p.add_argument("--gaps", action="store_true")
    p.add_argument("--shown-secrets", action="store_true")
    return p.parse_args()


def main():
    args = arguments()
    truth = Truth()
    for mode, path in args.parts:
        truth.load(mode, path)
    comparison = Comparison(truth, args)
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            comparison.add((record if args.records else decoded)(json.loads(line)))
        except (ValueError, KeyError) as e:
            sys.exit(f"truth.py: line {number} of the events is not one: {e!r}")
    comparison.compare()
    wrongs = ["missing", "out of order", "duplicates", "false", "unequal"]
    c = comparison.count
    print(f"truth: {truth.writes} writes, {c['published']} published, "
          + ", ".join(f"{c[w]} {w}" for w in wrongs)
          + (f", {c['repeated']} repeated with the same id" if args.allow_duplicates else ""))
    if not truth.writes or any(c[w] for w in wrongs):
        sys.exit(1)


main()
