#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Initial sync of all ConfigMaps: the server alone (curl), our pipeline, kubectl. Medians of three.

usage: initial_sync.py COUNT URL CA     with BIN, KUBECTL and KUBECONFIG in the environment
"""
import os
import subprocess
import sys
import time

from measure import Result, judge, median

MIB = 1 << 20
INITIAL = ("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
           "&allowWatchBookmarks=true&timeoutSeconds=60")


def until_mark(curl):
    """A watch does not end by itself: the time until the server has sent all, the best of three."""
    best = None
    for _ in range(3):
        begin, tail = time.monotonic(), b""
        with subprocess.Popen(curl, stdout=subprocess.PIPE) as p:
            while b"initial-events-end" not in tail:
                data = os.read(p.stdout.fileno(), 1 << 20)
                if not data:
                    sys.exit("initial_sync.py: the server's WatchList ended early")
                tail = tail[-64:] + data
            wall = time.monotonic() - begin
            p.kill()
        if best is None or wall < best.wall:
            best = Result(wall, 0, 0, 0, 0)
    return best


def main():
    count, url, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    tools = os.environ["BIN"]
    path = f"{url}/api/v1/configmaps"
    curl = ["curl", "-sSfN", "-A", "bench", "--cacert", ca, "-H", "Authorization: Bearer admin-token"]
    kwatch = [f"{tools}/kwatch", "--once", "configmaps"]
    pipeline = [kwatch, [f"{tools}/kdiff"], [f"{tools}/kenvelope", "--cluster-id=bench"],
                [f"{tools}/kpublish", "file:/dev/null"]]
    rows = {
        "server, WatchList": curl + [f"{path}?{INITIAL}"],
        "server, one list": [curl + [path]],
        "server, pages of 500": [[f"{sys.path[0]}/pages", ca, path, "500"]],
        "server, pages of 5000": [[f"{sys.path[0]}/pages", ca, path, "5000"]],
        "kwatch": [kwatch],
        "kwatch | kdiff | kenvelope | kpublish": pipeline,
        "kubectl get -o json": [[os.environ["KUBECTL"], "get", "configmaps", "-A", "-o", "json"]],
    }
    print(f"{'':40} {'wall s':>7} {'CPU s':>7} {'peak MiB':>9} {'wall/server':>12}   of {count:,} ConfigMaps")
    server, ours, watched = None, None, None
    for name, commands in rows.items():
        if server is None:
            r = server = until_mark(commands)
        else:
            r = median(3, commands, os.devnull)
        ours = r if commands is pipeline else ours
        watched = r if commands == [kwatch] else watched
        print(f"{name:40} {r.wall:7.2f} {r.cpu:7.2f} {r.total / MIB:9.1f} {r.wall / server.wall:11.2f}x",
              flush=True)
    print()
    judge("initial sync, wall time to the server's", ours.wall / server.wall, "x", 1.3, "less")
    judge("initial sync, CPU of the four processes", ours.cpu, "s", 2, "less")
    judge("initial sync, memory of the four", ours.total / MIB, "MiB", 100, "less")
    size = len(subprocess.run(kwatch, stdout=subprocess.PIPE, check=True).stdout)
    judge("kwatch, CPU a GB", watched.cpu / size * 1e9, "s", 1, "less")


main()
