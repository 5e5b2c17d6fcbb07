# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine images of the account: the distributions that the platform supports.

moto knows over a thousand, none of them current, and makes them anew at every reset.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import amis

# Owners as Debian and Canonical publish them. The ids are the lab's own.
DEBIAN, CANONICAL = "136693071363", "099720109477"
IMAGES = {
    "ami-0deb1200000000001": (DEBIAN, "debian-12-amd64-20261013-2263", "Debian 12"),
    "ami-0deb1300000000001": (DEBIAN, "debian-13-amd64-20261013-2263", "Debian 13"),
    "ami-0ab12204000000001": (
        CANONICAL,
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20261014",
        "Ubuntu 22.04",
    ),
    "ami-0ab12404000000001": (
        CANONICAL,
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261014",
        "Ubuntu 24.04",
    ),
}


def offer() -> None:
    """Let moto offer these images and no others; in this process, from the next reset on."""
    # What it takes for the process's variables: with this one set it reads none of its own lists.
    amis.environ = {"MOTO_AMIS_PATH": ""}
    amis.AMIS[:] = [image(*entry) for entry in IMAGES.items()]


def image(image_id: str, published: tuple[str, str, str]) -> dict[str, Any]:
    """An image in moto's form."""
    owner, name, description = published
    return {
        "ami_id": image_id,
        "name": name,
        "description": description,
        "owner_id": owner,
        "architecture": "x86_64",
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "root_device_type": "ebs",
        "root_device_name": "/dev/xvda",
        "image_location": f"{owner}/{name}",
        "creation_date": "2026-10-14T00:00:00.000Z",
        "public": True,
    }
