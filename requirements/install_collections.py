"""Puts the collections of a list into this environment, out of the Python package that holds them all."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path


def install(package: str, collections: list[str]) -> None:
    """Extract collections (``amazon.aws``) from a package (``ansible==12.3.0``) beside the other Python packages."""
    folders = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in collections)
    with tempfile.TemporaryDirectory() as directory:
        options = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", directory]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if name.startswith(folders)]
            archive.extractall(sysconfig.get_path("purelib"), members)


if __name__ == "__main__":
    lines = [line for line in Path(sys.argv[1]).read_text(encoding="utf-8").split("\n") if line and line[0] != "#"]
    install(lines[0], lines[1:])
