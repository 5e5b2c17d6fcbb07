# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every role has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def load(role: str, file: str) -> Any:
    """A YAML file of a role."""
    return yaml.safe_load((ROOT / "roles" / role / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_spec_have_the_same_keys(role: str) -> None:
    options = load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(load(role, "defaults/main.yml")) == set(options)


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_spec(role: str) -> None:
    options = load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for name, value in load(role, "defaults/main.yml").items():
        templated = isinstance(value, str) and "{{" in value
        assert templated or options[name].get("default") == value, name


@pytest.mark.parametrize("role", ROLES)
def test_public_variables_begin_with_the_role_s_name(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in load(role, "defaults/main.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_readme_is_about_one_screen(role: str) -> None:
    lines = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8").splitlines()
    assert 10 <= len(lines) <= 80


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_scenario(role: str) -> None:
    for file in ("converge.yml", "verify.yml", "side_effect.yml", "molecule.yml"):
        assert (ROOT / "molecule" / role / file).exists()
