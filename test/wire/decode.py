#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Decodes kollect's frames with Google's protobuf and schemas written here.

usage: decode.py FRAMES                  one line of JSON for each frame
       decode.py FRAMES RECORDS CLUSTER  compares them with kdiff's records

The schemas are those of kollect 1.x: its field numbers and type URLs, nothing
newer. They are stated here once more, and not taken from proto/, so that a
number that is changed there is found out. What has been added since (from 16
up, and the payload Gap) is read with a second schema. Exit code 1 when
anything differs.
"""
import datetime
import json
import sys
import uuid

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf import timestamp_pb2

STRING, BYTES, UINT64, MESSAGE = 9, 12, 4, 11
TIMESTAMP, ANY = ".google.protobuf.Timestamp", ".google.protobuf.Any"
NAMESPACE = uuid.UUID("00faed4c-d365-5d6c-babd-cb12cf27c574")
PREFIX = "type.googleapis.com/kollect.resource.event.v1."

ORIGINAL = {
    "Envelope": [("id", 1, STRING), ("timestamp", 2, TIMESTAMP), ("applies_at", 3, TIMESTAMP),
                 ("payload", 4, ANY)],
    "ResourceCreatedEvent": [("uid", 1, STRING), ("resource", 2, BYTES),
                             ("cluster_id", 3, STRING)],
    "ResourceUpdatedEvent": [("uid", 1, STRING), ("then", 2, BYTES), ("now", 3, BYTES),
                             ("cluster_id", 4, STRING)],
    "ResourceDeletedEvent": [("uid", 1, STRING), ("cluster_id", 2, STRING)],
}
ADDED = {
    "Reference": [("group", 1, STRING), ("version", 2, STRING), ("kind", 3, STRING),
                  ("namespace", 4, STRING), ("name", 5, STRING),
                  ("resource_version", 6, STRING), ("manager", 7, STRING)],
    "Envelope": ORIGINAL["Envelope"] + [("seq", 16, UINT64), ("observed_at", 17, TIMESTAMP),
                                        ("reference", 18, ".test.Reference"),
                                        ("collapsed", 21, UINT64)],
    "ResourceDeletedEvent": ORIGINAL["ResourceDeletedEvent"] + [("then", 16, BYTES)],
    "Gap": [("stream", 1, STRING), ("from", 2, STRING), ("to", 3, STRING), ("reason", 4, STRING),
            ("cluster_id", 5, STRING)],
}


def classes(schema):
    """Message classes by name, of a schema as above."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto", package="test", syntax="proto3",
        dependency=["google/protobuf/timestamp.proto", "google/protobuf/any.proto"])
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=1)
            if isinstance(kind, str):
                added.type, added.type_name = MESSAGE, kind
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    for known in (timestamp_pb2, any_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    descriptors = {name: pool.FindMessageTypeByName(f"test.{name}") for name in schema}
    if hasattr(message_factory, "GetMessageClass"):
        return {n: message_factory.GetMessageClass(d) for n, d in descriptors.items()}
    factory = message_factory.MessageFactory(pool)
    return {n: factory.GetPrototype(d) for n, d in descriptors.items()}


def frames(data):
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if at + length > len(data):
            raise ValueError("the last frame is cut short")
        yield data[at:at + length]
        at += length


def moment(timestamp):
    at = datetime.datetime.fromtimestamp(timestamp.seconds, datetime.timezone.utc)
    assert timestamp.nanos % 1000 == 0
    return at.replace(microsecond=timestamp.nanos // 1000)


def parse_moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def decode(frame, old, new):
    """What a frame says, as a dict of plain values."""
    envelope = old["Envelope"].FromString(frame)
    if not envelope.payload.type_url.startswith(PREFIX):
        raise ValueError(f"the type URL is {envelope.payload.type_url}")
    kind = envelope.payload.type_url[len(PREFIX):]
    payload = (new if kind == "Gap" else old)[kind].FromString(envelope.payload.value)
    added = new["Envelope"].FromString(frame)
    said = {"id": envelope.id, "timestamp": moment(envelope.timestamp),
            "applies_at": moment(envelope.applies_at), "kind": kind,
            "cluster_id": payload.cluster_id, "seq": added.seq,
            "observed_at": moment(added.observed_at), "collapsed": added.collapsed,
            "reference": {f.name: v for f, v in added.reference.ListFields()}}
    for field in ("uid", "stream", "from", "to", "reason"):
        if hasattr(payload, field):
            said[field] = getattr(payload, field)
    for field in ("resource", "then", "now"):
        if hasattr(payload, field):
            said[field] = getattr(payload, field).decode()
    if kind == "ResourceDeletedEvent":
        said["then"] = new[kind].FromString(envelope.payload.value).then.decode()
    return said


def states(line):
    """The bytes of then and now in a record, untouched."""
    found = {}
    decoder = json.JSONDecoder()
    for name in ("then", "now"):
        at = line.find(f'"{name}":{{')
        if at != -1:
            begin = at + len(name) + 3
            found[name] = line[begin:decoder.raw_decode(line, begin)[1]]
    return found


def expected_gap(record, cluster):
    fields = {field: record.get(field, "") for field in ("stream", "from", "to", "reason")}
    name = [cluster, fields["stream"], fields["from"], fields["to"], "gap"]
    if not fields["stream"]:
        name.append(record["observedAt"])
    at = parse_moment(record["observedAt"])
    return {"id": str(uuid.uuid5(NAMESPACE, "/".join(name))), "kind": "Gap", "timestamp": at,
            "applies_at": at, "observed_at": at, "cluster_id": cluster,
            "seq": record.get("seq", 0), "collapsed": 0, "reference": {}, **fields}


def expected(line, cluster):
    """What the frame of a record must say."""
    record = json.loads(line)
    if record["type"] == "gap":
        return expected_gap(record, cluster)
    kind = f"Resource{record['type'].capitalize()}Event"
    name = "/".join((cluster, record["uid"], record["resourceVersion"], record["type"]))
    group, _, version = record["apiVersion"].rpartition("/")
    reference = {"group": group, "version": version, "kind": record["kind"],
                 "namespace": record.get("namespace"), "name": record["name"],
                 "resource_version": record["resourceVersion"],
                 "manager": record.get("manager")}
    want = {"id": str(uuid.uuid5(NAMESPACE, name)), "kind": kind, "uid": record["uid"],
            "timestamp": parse_moment(record["observedAt"]),
            "applies_at": parse_moment(record["appliesAt"]), "cluster_id": cluster,
            "seq": record.get("seq", 0), "observed_at": parse_moment(record["observedAt"]),
            "collapsed": record.get("collapsed", 0),
            "reference": {k: v for k, v in reference.items() if v}}
    want.update(states(line))
    if kind == "ResourceCreatedEvent":
        want["resource"] = want.pop("now")
    return want


def main():
    old, new = classes(ORIGINAL), classes(ADDED)
    with open(sys.argv[1], "rb") as f:
        said = [decode(frame, old, new) for frame in frames(f.read())]
    if len(sys.argv) == 2:
        for one in said:
            print(json.dumps(one, default=str, ensure_ascii=False))
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        lines = f.read().split("\n")[:-1]
    if len(said) != len(lines):
        sys.exit(f"{len(said)} frames for {len(lines)} records")
    for number, (line, one) in enumerate(zip(lines, said), 1):
        want = expected(line, sys.argv[3])
        for name in sorted(want.keys() | one.keys()):
            if want.get(name) != one.get(name):
                sys.exit(f"record {number}: {name}: {one.get(name)!r}, not {want.get(name)!r}")
    print(f"{len(said)} frames are as their records")


if __name__ == "__main__":
    main()
