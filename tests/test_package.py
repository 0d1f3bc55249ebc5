"""What is installed elsewhere: a wheel, with the page and all else that is no Python."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_carries_what_is_served(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("parlour-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    package = ROOT / "src" / "parlour"
    files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(Path("parlour") / path.relative_to(package)) for path in files} <= inside
    pages = [name for name in inside if name.startswith("parlour/front/pages/room/")]
    assert {Path(page).suffix for page in pages} >= {".html", ".js", ".css"}
