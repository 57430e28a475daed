"""docker-compose.yml as docker-compose itself understands it, in plain values. No engine is needed for that."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SECRETS = "/run/secrets"


@dataclass(frozen=True)
class Service:
    """One service of the file; `raw` is everything docker-compose printed about it."""

    name: str
    raw: dict[str, Any]

    @property
    def command(self) -> list[str]:
        """The command as a list of words, whichever way docker-compose printed it."""
        command = self.raw["command"]
        words = shlex.split(command) if isinstance(command, str) else command
        return [_unescaped(word) for word in words]

    @property
    def environment(self) -> dict[str, str]:
        return {name: _unescaped(str(value)) for name, value in self.raw.get("environment", {}).items()}

    @property
    def health_check(self) -> list[str]:
        """The words to run, through a shell where the file says so; empty without a check."""
        test = [_unescaped(word) for word in self.raw.get("healthcheck", {}).get("test", [])]
        if not test:
            return []
        return ["/bin/sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]

    @property
    def secrets(self) -> set[str]:
        return {entry["source"] if isinstance(entry, dict) else entry for entry in self.raw.get("secrets", [])}

    @property
    def networks(self) -> set[str]:
        return set(self.raw.get("networks", {}))


@dataclass(frozen=True)
class Compose:
    """The whole file."""

    raw: dict[str, Any]
    warnings: str

    @property
    def services(self) -> dict[str, Service]:
        return {name: Service(name, raw) for name, raw in self.raw["services"].items()}


def read_compose(**environment: str) -> Compose:
    """Let docker-compose check the file, all profiles included, and return what it says.

    Args:
        environment: what an administrator sets, such as SITE_HOST.

    Raises:
        AssertionError: the file is not valid; with docker-compose's words.
    """
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed; on Debian or Ubuntu: apt-get install docker-compose"
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [program, "--file", str(ROOT / "docker-compose.yml"), "--profile", "demo", "config"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env=clean | environment,
    )
    assert done.returncode == 0, done.stderr
    return Compose(yaml.safe_load(done.stdout), done.stderr)


def dockerfile_stages() -> dict[str, list[str]]:
    """Return the instructions of each named stage of the Dockerfile, continuation lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    stages: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("FROM "):
            lines = stages.setdefault(line.rsplit(" AS ", 1)[1].strip(), [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    return stages


def procfile() -> dict[str, str]:
    """Return name → command of the Procfile."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): command.strip() for name, command in pairs}


def _unescaped(word: str) -> str:
    """docker-compose prints a dollar as two, so that its output can be read again."""
    return word.replace("$$", "$")


def dump(value: object) -> str:
    """Return `value` as text, to look for something anywhere in it."""
    return json.dumps(value, sort_keys=True)
