#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Initial sync of all ConfigMaps: the server alone (curl), our pipeline, kubectl. Medians of three.

usage: initial_sync.py COUNT URL CA     with BIN, KUBECTL and KUBECONFIG in the environment
"""
import os
import sys

from measure import judge, median

MIB = 1 << 20
INITIAL = ("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
           "&allowWatchBookmarks=true&timeoutSeconds=60")


def main():
    count, url, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    tools = os.environ["BIN"]
    path = f"{url}/api/v1/configmaps"
    curl = ["curl", "-sSfN", "-A", "bench", "--cacert", ca, "-H", "Authorization: Bearer admin-token"]
    kwatch = [f"{tools}/kwatch", "--once", "configmaps"]
    pipeline = [kwatch, [f"{tools}/kdiff"], [f"{tools}/kenvelope", "--cluster-id=bench"],
                [f"{tools}/kpublish", "file:/dev/null"]]
    rows = {
        # grep ends curl, by its closed pipe, once the server has sent all.
        "server, WatchList": [["sh", "-c", '"$@" 2>/dev/null | grep -q initial-events-end', "sh"]
                              + curl + [f"{path}?{INITIAL}"]],
        "server, one list": [curl + [path]],
        "server, pages of 500": [[f"{sys.path[0]}/pages", ca, path, "500"]],
        "server, pages of 5000": [[f"{sys.path[0]}/pages", ca, path, "5000"]],
        "kwatch": [kwatch],
        "kwatch | kdiff | kenvelope | kpublish": pipeline,
        "kubectl get -o json": [[os.environ["KUBECTL"], "get", "configmaps", "-A", "-o", "json"]],
    }
    print(f"{'':40} {'wall s':>7} {'CPU s':>7} {'peak MiB':>9} {'wall/server':>12}   of {count:,} ConfigMaps")
    server, ours = None, None
    for name, commands in rows.items():
        r = median(3, commands, os.devnull)
        server = server or r
        ours = r if commands is pipeline else ours
        print(f"{name:40} {r.wall:7.2f} {r.cpu:7.2f} {r.total / MIB:9.1f} {r.wall / server.wall:11.2f}x",
              flush=True)
    print()
    judge("initial sync, wall time to the server's", ours.wall / server.wall, "x", 1.3, "less")
    judge("initial sync, CPU of the four processes", ours.cpu, "s", 2, "less")
    judge("initial sync, memory of the four", ours.total / MIB, "MiB", 100, "less")


main()
