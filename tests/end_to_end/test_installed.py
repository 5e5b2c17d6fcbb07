# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is published: built, installed and run from somewhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab.model import ROOT
from tests.harness import BIN, Platform

OUTSIDE = ("lab/", "tests/", "applications/", "molecule/", "benchmarks/", "inventory/", "requirements/")


def clean_environment() -> dict[str, str]:
    """The environment without this checkout's settings of Ansible, which would find the collection in the checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection's archive, built from the files that are under version control."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name, follow_symlinks=False)
    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(built)]
    subprocess.run(command, cwd=source, env=clean_environment(), check=True, capture_output=True)
    (archive,) = built.glob("gatehouse-platform-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def collections(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections with this one installed."""
    folder = tmp_path_factory.mktemp("collections")
    command = [str(BIN / "ansible-galaxy"), "collection", "install", str(artefact), "--no-deps"]
    command += ["--collections-path", str(folder)]
    subprocess.run(command, cwd=folder, env=clean_environment(), check=True, capture_output=True)
    return folder


def playbook(platform: Platform, collections: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the installed collection, from a folder and with an environment without this checkout."""
    environment = clean_environment() | {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"}
    command = platform.command("ansible-playbook", f"gatehouse.platform.{name}", *options)
    return subprocess.run(command, cwd=collections, env=environment, check=False, capture_output=True, text=True)


def test_archive_holds_the_collection_and_nothing_else(artefact: Path) -> None:
    with tarfile.open(artefact) as archive:
        names = archive.getnames()
    assert {
        "MANIFEST.json",
        "plugins/modules/virtual_hosts.py",
        "playbooks/site.yml",
        "roles/bastion/tasks/main.yml",
    } <= {*names}
    assert not [name for name in names if name.startswith(OUTSIDE)]
    assert not [name for name in names if name.startswith(".") or "__pycache__" in name or name.endswith(".pyc")]


@pytest.mark.parametrize("name", ["site", "deploy", "rollback", "remove", "status"])
def test_playbooks_are_found_by_their_full_names(platform: Platform, collections: Path, name: str) -> None:
    result = playbook(platform, collections, name, "--syntax-check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_installed_collection_finds_nothing_to_do(platform: Platform, collections: Path) -> None:
    platform.declare_afresh()
    platform.succeed("site")
    result = playbook(platform, collections, "site")
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert "changed=0" in result.stdout
    assert not [line for line in result.stdout.splitlines() if "changed=" in line and "changed=0" not in line]


def test_installed_collection_shows_the_status(platform: Platform, collections: Path) -> None:
    result = playbook(platform, collections, "status")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "microservice1.example.test" in result.stdout
