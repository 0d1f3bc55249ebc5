"""How many cores this process may keep busy, which may be fewer than the machine has."""

import os
import sys
from pathlib import Path
from typing import Final

_OWN: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")


def granted_cores(own: Path = _OWN, groups: Path = _GROUPS) -> float:
    """The cores of the process's affinity, or the quota of its cgroup (version 2) where that is less.

    ``own`` names the group that the process is in, ``groups`` is the folder of all. Each group above it has its say, as
    in the kernel.
    """
    cores = float(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)
    folder = groups / _group(own)
    for above in (folder, *folder.parents):
        cores = min(cores, _quota(above / "cpu.max"))
        if above == groups:
            break
    return cores


def _group(own: Path) -> str:
    """The group's path below that of all; empty where there is none, or it lies outside of what can be seen."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return ""
    path = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    return "" if ".." in path.split("/") else path


def _quota(file: Path) -> float:
    """The cores that a group may keep busy; infinitely many where it has no limit, as that of all has not."""
    try:
        quota, period = file.read_text().split()
        return float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return float("inf")
