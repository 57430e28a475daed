"""`make setup` names what a machine lacks in one line, with the command that mends it; the locks are whole."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from webmail.demo.layout import ROOT

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh clone as far as set-up is concerned, on a machine with a shell and nothing else."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "cat", "cksum"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    clone = tmp_path / "clone"
    (clone / "tools").mkdir(parents=True)
    for name in ("tools/setup", "requirements-dev.txt", "package-lock.json"):
        shutil.copy(ROOT / name, clone / name)
    return clone


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "tools" / "setup"],
        env={"PATH": str(checkout.parent / "bin")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def program(checkout: Path, name: str, script: str) -> None:
    path = checkout.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_no_python(checkout: Path) -> None:
    done = set_up(checkout)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 or newer is needed: sudo apt-get install python3" in done.stderr


def test_an_old_python(checkout: Path) -> None:
    program(checkout, "python3", "exit 1  # as `sys.exit(sys.version_info < (3, 11))` does in 3.9")
    done = set_up(checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed")


def test_no_venv(checkout: Path) -> None:
    program(checkout, "python3", 'case "$2" in *venv*) exit 1;; esac')
    done = set_up(checkout)
    assert done.returncode == 1
    assert done.stderr == "Python's venv module is missing: sudo apt-get install python3-venv\n"


def test_nothing_to_do(checkout: Path) -> None:
    program(checkout, "python3", "exit 1")
    for stamp, source in ((".venv", "requirements-dev.txt"), ("node_modules", "package-lock.json")):
        (checkout / stamp).mkdir()
        checksum = subprocess.run(
            ["cksum"], input=(checkout / source).read_bytes(), capture_output=True, check=True
        ).stdout
        (checkout / stamp / ".installed").write_bytes(checksum)
    (checkout / ".venv" / "bin").mkdir()
    (checkout / ".venv" / "bin" / "python").write_text("#!/bin/sh\n")
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    done = set_up(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_python_package_is_pinned_and_hashed(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry, re.IGNORECASE), entry
        assert "--hash=sha256:" in entry, entry


def test_what_runs_in_production_is_what_was_tested() -> None:
    product, everything = (set(read(name)) for name in REQUIREMENTS)
    assert product < everything


def test_the_locks_name_no_registry() -> None:
    for name in REQUIREMENTS:
        assert "://" not in (ROOT / name).read_text()
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_npm_packages_are_exact() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


def read(name: str) -> list[str]:
    return re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.MULTILINE)
