#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Churn on a real API server: CPU an event of the four processes, and the lag from before a write is
sent to when its frame leaves kpublish.

usage: lag.py KUBECONFIG WRITES RATE     with BIN and KUBECONFIG in the environment
"""
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(sys.path[0], "..", "tools"))
from kubeapi import Api  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
SENT = re.compile(rb'"sent":"([0-9.]+)"')
PATH = "/api/v1/namespaces/default/configmaps"


def cpu(processes):
    total = 0
    for p in processes:
        with open(f"/proc/{p.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def pipeline():
    tools = os.environ["BIN"]
    commands = [["kwatch", "-n", "default", "configmaps"], ["kdiff", "--baseline"],
                ["kenvelope", "--cluster-id=bench"], ["kpublish", "stdout:"]]
    processes, previous = [], subprocess.DEVNULL
    for command in commands:
        p = subprocess.Popen([f"{tools}/{command[0]}"] + command[1:], stdin=previous,
                             stdout=subprocess.PIPE)
        if previous != subprocess.DEVNULL:
            previous.close()
        previous = p.stdout
        processes.append(p)
    return processes


def read(stream, lags, enough):
    """A frame's newest time is that of its `now`, which comes last."""
    while len(lags) < enough:
        data = os.read(stream.fileno(), 1 << 20)
        now = time.time()
        if not data:
            return
        sent = {float(s) for s in SENT.findall(data)} - read.seen
        read.seen |= sent
        lags.extend(now - s for s in sorted(sent))


read.seen = set()


def main():
    writes, rate = int(sys.argv[2]), float(sys.argv[3])
    api = Api(sys.argv[1])
    name = f"lag-{os.getpid()}"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"sent": f"{time.time():.6f}", "fill": "x" * 2000}}
    api.call("POST", PATH, body)
    processes, lags = pipeline(), []
    reader = threading.Thread(target=read, args=(processes[-1].stdout, lags, writes))
    reader.start()
    begin = None
    for i in range(writes + 50):
        if i == 50:  # by now all are connected
            lags.clear()
            begin, start = cpu(processes), time.monotonic()
        body["data"]["sent"] = f"{time.time():.6f}"
        api.call("PUT", f"{PATH}/{name}", body)
        if begin is not None:
            time.sleep(max(0.0, start + (i - 49) / rate - time.monotonic()))
        else:
            time.sleep(0.05)
    reader.join(10)
    spent = cpu(processes) - begin
    processes[0].terminate()
    for p in processes:
        p.wait(10)
    api.call("DELETE", f"{PATH}/{name}")
    lags.sort()
    print(f"churn: {len(lags)} updates of 2 KB at {rate:.0f}/s: {spent / writes * 1e3:.3f} ms CPU an event, "
          f"lag p50 {lags[len(lags) // 2] * 1e3:.1f} ms, p99 {lags[len(lags) * 99 // 100] * 1e3:.1f} ms")
    if len(lags) < writes:
        sys.exit(f"lag.py: {writes - len(lags)} of {writes} writes did not arrive")


main()
