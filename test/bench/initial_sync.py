#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Initial sync of all ConfigMaps: the server alone (curl), our pipeline, kubectl. Ratios of medians.

usage: initial_sync.py COUNT URL CA     with BIN, KUBECTL and KUBECONFIG in the environment
"""
import os
import sys

from measure import median

MIB = 1 << 20


def main():
    count, url, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    tools = os.environ["BIN"]
    curl = ["curl", "-sSfN", "-A", "bench", "--cacert", ca, "-H", "Authorization: Bearer admin-token"]
    path = f"{url}/api/v1/configmaps"
    server = {
        "server, one list": [curl + [path]],
        "server, pages of 500": [[f"{sys.path[0]}/pages", ca, path, "500"]],
        "server, pages of 5000": [[f"{sys.path[0]}/pages", ca, path, "5000"]],
    }
    kwatch = [f"{tools}/kwatch", "--once", "configmaps"]
    rest = [[f"{tools}/kdiff"], [f"{tools}/kenvelope", "--cluster-id=bench"],
            [f"{tools}/kpublish", "file:/dev/null"]]
    ours = {
        "kwatch": [kwatch],
        "kwatch, by pages": [kwatch + ["--no-watch-list"]],
        "kwatch | kdiff | kenvelope | kpublish": [kwatch] + rest,
    }
    others = {"kubectl get -o json": [[os.environ["KUBECTL"], "get", "configmaps", "-A", "-o", "json"]]}
    print(f"{'':40} {'wall s':>7} {'CPU s':>7} {'peak MiB':>9} {'wall/server':>12}   of {count:,} ConfigMaps")
    base = None
    for name, commands in {**server, **ours, **others}.items():
        r = median(3, commands, os.devnull)
        base = base or r.wall
        print(f"{name:40} {r.wall:7.2f} {r.cpu:7.2f} {r.rss / MIB:9.1f} {r.wall / base:11.2f}x", flush=True)


main()
