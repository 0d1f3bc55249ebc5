"""How many cores there are to use, in groups of processes that are made up."""

import os
from pathlib import Path

import pytest

from parlour.cores import granted_cores
from parlour.settings import load_settings

ALL = float(len(os.sched_getaffinity(0)))


def granted(folder: Path, own: str, **quotas: str) -> float:
    """The cores of a process in the group ``own``; quotas are by group, ``_`` for a slash, ``root`` for that of all."""
    for name, quota in quotas.items():
        group = folder / "groups" / ("" if name == "root" else name.replace("_", "/"))
        group.mkdir(parents=True, exist_ok=True)
        (group / "cpu.max").write_text(f"{quota}\n")
    (folder / "own").write_text(f"4:memory:/elsewhere\n{own}\n")
    return granted_cores(folder / "own", folder / "groups")


@pytest.mark.parametrize(
    ("own", "quotas", "cores"),
    [
        ("0::/", {"root": "50000 100000"}, 0.5),
        ("0::/", {"root": "max 100000"}, ALL),
        ("0::/", {}, ALL),
        ("0::/system/rooms", {"system_rooms": "25000 100000"}, 0.25),
        ("0::/system/rooms", {"system": "75000 100000", "system_rooms": "max 100000"}, 0.75),
        ("0::/system/rooms", {"system": "25000 100000", "system_rooms": "75000 100000"}, 0.25),
        ("0::/rooms", {"rooms": "6400000 100000"}, ALL),
        ("0::/../outside", {"root": "50000 100000"}, 0.5),
        ("3:cpu:/old", {"root": "max 100000"}, ALL),
        ("0::/rooms", {"rooms": "nonsense"}, ALL),
    ],
)
def test_affinity_or_the_least_quota_of_all_groups_above(
    tmp_path: Path, own: str, quotas: dict[str, str], cores: float
) -> None:
    assert granted(tmp_path, own, **quotas) == cores


def test_where_there_are_no_groups_affinity_is_what_there_is(tmp_path: Path) -> None:
    assert granted_cores(tmp_path / "none", tmp_path) == ALL


def test_there_is_a_worker_for_each_core_of_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert load_settings(workers=0).worker_count == 1
    finally:
        os.sched_setaffinity(0, before)
    assert load_settings(workers=3).worker_count == 3
