#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a stream of N synthetic pod watch events of about 6 KiB each: each pod is ADDED, and
a share of them is MODIFIED (status changes) afterwards. Deterministic, so that runs compare.

    pods.py [--pods N] [--updates N] [--marks]
"""
import argparse
import hashlib
import json
import sys


def uid(i):
    h = hashlib.md5(b"pod%d" % i).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}"


def managed(manager, when, fields, sub=None):
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": when,
             "fieldsType": "FieldsV1", "fieldsV1": fields}
    if sub:
        entry["subresource"] = sub
    return entry


def template():
    containers = {}
    for name in ("app", "proxy"):
        containers['k:{"name":"%s"}' % name] = {
            ".": {}, "f:args": {}, "f:env": {".": {}, 'k:{"name":"POD_NAME"}': {
                ".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:fieldRef": {}}}},
            "f:image": {}, "f:imagePullPolicy": {}, "f:livenessProbe": {
                ".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}}},
            "f:name": {}, "f:ports": {}, "f:resources": {".": {}, "f:limits": {}, "f:requests": {}},
            "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}}
    spec_fields = {"f:metadata": {"f:annotations": {".": {}, "f:checksum/config": {}},
                                  "f:generateName": {}, "f:labels": {".": {}, "f:app": {}, "f:tier": {}},
                                  "f:ownerReferences": {".": {}, 'k:{"uid":"0e2a4c8e"}': {}}},
                   "f:spec": {"f:containers": containers, "f:dnsPolicy": {}, "f:restartPolicy": {},
                              "f:schedulerName": {}, "f:securityContext": {}, "f:volumes": {}}}
    status_fields = {"f:status": {"f:conditions": {
        'k:{"type":"%s"}' % t: {".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}}
        for t in ("ContainersReady", "Initialized", "Ready")}, "f:containerStatuses": {}, "f:phase": {}, "f:podIPs": {}}}
    return spec_fields, status_fields


SPEC_FIELDS, STATUS_FIELDS = template()


def container(name, i):
    return {"name": name, "image": f"registry.example.com/team/{name}:v1.{i % 50}.3",
            "args": ["--config=/etc/app/config.yaml", "--log-level=info", f"--shard={i % 16}"],
            "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                    {"name": "GREETING", "value": "say \"hello\" to C:\\pods\n"}],
            "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 1,
                              "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
            "volumeMounts": [{"name": f"kube-api-access-{i:06x}", "readOnly": True,
                              "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent"}


def pod(i, rv, generation):
    h = hashlib.sha256(b"%d" % i).hexdigest()
    created = f"2026-11-{1 + i % 20:02d}T{i % 24:02d}:{i % 60:02d}:{(i // 60) % 60:02d}Z"
    changed = f"2026-11-22T{generation % 24:02d}:{i % 60:02d}:{(i // 60) % 60:02d}Z"
    name = f"web-{h[:9]}-{h[9:14]}"
    status = {"phase": "Running" if generation else "Pending", "hostIP": f"10.0.{i % 256}.{i // 256 % 256}",
              "podIP": f"10.{i % 200}.{i // 256 % 256}.{i % 256}", "podIPs": [{"ip": f"10.{i % 200}.{i // 256 % 256}.{i % 256}"}],
              "startTime": created, "qosClass": "Burstable",
              "conditions": [{"type": t, "status": "True" if generation else "False", "lastProbeTime": None,
                              "lastTransitionTime": changed} for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
              "containerStatuses": [{"name": n, "ready": bool(generation), "restartCount": generation, "started": True,
                                     "image": f"registry.example.com/team/{n}:v1.{i % 50}.3",
                                     "imageID": f"registry.example.com/team/{n}@sha256:{h}",
                                     "containerID": f"containerd://{h[::-1]}",
                                     "state": {"running": {"startedAt": changed}}, "lastState": {}} for n in ("app", "proxy")]}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {
        "name": name, "generateName": f"web-{h[:9]}-", "namespace": f"team-{i % 40}", "uid": uid(i),
        "resourceVersion": str(rv), "creationTimestamp": created,
        "labels": {"app": "web", "pod-template-hash": h[:9], "tier": "frontend", "track": "stable"},
        "annotations": {"checksum/config": h, "cni.example.com/podIP": f"10.{i % 200}.{i // 256 % 256}.{i % 256}/32"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"web-{h[:9]}", "uid": uid(i // 7 + 10**6),
                             "controller": True, "blockOwnerDeletion": True}],
        "managedFields": [managed("kube-controller-manager", created, SPEC_FIELDS),
                          managed("kubelet", changed, STATUS_FIELDS, "status")]},
        "spec": {"volumes": [{"name": f"kube-api-access-{i:06x}", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}}],
            "containers": [container("app", i), container("proxy", i)], "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
            "serviceAccount": "default", "nodeName": f"node-{i % 1000:04d}", "securityContext": {}, "schedulerName": "default-scheduler",
            "tolerations": [{"key": k, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                            for k in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")],
            "priority": 0, "enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"},
        "status": status}


def mark(kind, rv):
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {
        "resourceVersion": str(rv), "annotations": {"kollect/stream": "/api/v1/pods", "kollect/mark": kind}}}}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pods", type=int, default=100000)
    p.add_argument("--updates", type=int, default=0)
    p.add_argument("--marks", action="store_true", help="snapshot marks around the ADDED events")
    args = p.parse_args()
    dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    write = sys.stdout.write
    if args.marks:
        write(dumps(mark("begin", 0)) + "\n")
    for i in range(args.pods):
        write(dumps({"type": "ADDED", "object": pod(i, 1000 + i, 0)}) + "\n")
    rv = 1000 + args.pods
    if args.marks:
        write(dumps(mark("end", rv)) + "\n")
    for u in range(args.updates):
        i = (u * 7919) % args.pods
        write(dumps({"type": "MODIFIED", "object": pod(i, rv + 1 + u, 1 + u // args.pods)}) + "\n")


if __name__ == "__main__":
    main()
