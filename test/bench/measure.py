# SPDX-License-Identifier: Apache-2.0
"""Runs pipelines of processes and measures them."""
import os
import statistics
import subprocess
import threading
import time


class Result:
    """Seconds, and bytes: rss and anon of the largest process, total of all together."""

    def __init__(self, wall, cpu, rss, anon, total):
        self.wall, self.cpu, self.rss, self.anon, self.total = wall, cpu, rss, anon, total


def memory(pid):
    """Bytes resident, at most so far, and anonymous ones now; zeros when the process has gone. (The
    kernel's ru_maxrss would begin with the size of the Python that forked.)"""
    found = {}
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(("VmHWM", "RssAnon")):
                    found[line.split(":")[0]] = int(line.split()[1]) * 1024
    except OSError:
        pass
    return found.get("VmHWM", 0), found.get("RssAnon", 0)


class Sampler(threading.Thread):
    """The peaks of each process's memory, looked at every 20 ms."""

    def __init__(self, pids):
        super().__init__()
        self.peaks = {pid: (0, 0) for pid in pids}
        self.done = threading.Event()
        self.start()

    def run(self):
        while True:
            for pid, peak in self.peaks.items():
                self.peaks[pid] = tuple(map(max, peak, memory(pid)))
            if self.done.wait(0.02):
                return

    def finish(self):
        self.done.set()
        self.join()
        rss, anon = (max(column) for column in zip(*self.peaks.values()))
        return rss, anon, sum(peak[0] for peak in self.peaks.values())


def run(commands, source, sink=os.devnull, env=None):
    """One pipeline from the file source. CPU and memory are those of all its processes: the sum
    of CPU, the largest memory of one."""
    with open(source, "rb") as stdin, open(sink, "wb") as stdout:
        begin = time.monotonic()
        processes, previous = [], stdin
        for i, command in enumerate(commands):
            last = i == len(commands) - 1
            p = subprocess.Popen(command, stdin=previous, stdout=stdout if last else subprocess.PIPE,
                                 env=env)
            if previous is not stdin:
                previous.close()
            previous = p.stdout
            processes.append(p)
        sampler = Sampler([p.pid for p in processes])
        cpu = 0.0
        for p in processes:
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            if p.returncode:
                raise SystemExit(f"{p.args}: exit code {p.returncode}")
            cpu += usage.ru_utime + usage.ru_stime
        wall = time.monotonic() - begin
        rss, anon, total = sampler.finish()
    return Result(wall, cpu, rss, anon, total)


def median(runs, *args):
    return medians([run(*args) for _ in range(runs)])


def medians(results):
    """Of each figure by itself."""
    return Result(*(statistics.median(getattr(r, f) for r in results)
                    for f in ("wall", "cpu", "rss", "anon", "total")))


def fastest(results):
    return min(results, key=lambda r: r.wall)


def judge(name, value, unit, target, better):
    reached = value >= target if better == "more" else value <= target
    factor = value / target if better == "more" else target / value
    print(f"{name:44} {value:10,.2f} {unit:12} target {target:>8,} : "
          f"{'reached' if reached else 'not reached'} ({factor:.2f} of it)")
