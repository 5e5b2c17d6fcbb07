# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A region, up while a context lasts: the control plane, and whoever makes real what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path

from lab.cloud.server import REGION
from lab.image import remove_images
from lab.machine import containers_conf, raise_sysctls, restore_sysctls, run
from lab.network import allocate_number, known_number, release_number
from lab.region import adapters, hosts
from lab.region.authority import ACM, Authority
from lab.region.catalogue import DISTRIBUTIONS
from lab.region.control import RegionControlPlane
from lab.region.image import ensure_instance_image
from lab.region.network import Network
from lab.region.place import API_ADDRESS, Place, namespace_file, place_key
from lab.region.reconciler import Adapter, Reconciler
from lab.region.sockets import listen


class Region:
    """``cloud`` is the control plane. What an earlier region of the same name left behind is removed first."""

    def __init__(
        self, name: str = "cloud", port: int = 0, log: Callable[[str], None] = print, region: str = REGION
    ) -> None:
        self.place = settle(name)
        self.cloud = RegionControlPlane(self.place.public, port, region)
        self.cloud.ranges_kept = (IPv4Network(self.place.range),)
        self._log = log
        self._stack = ExitStack()
        self.adapters: Sequence[Adapter] = ()

    def __enter__(self) -> Region:
        with ExitStack() as stack:
            self.place.note(os.getpid())
            use_podman(self.place)
            raise_sysctls(self.place.key)
            stack.callback(restore_sysctls, self.place.key)
            ensure_images()
            Authority(self.place.directory / ACM).ensure()
            clear(self.place)
            stack.callback(clear, self.place)
            stack.enter_context(self.cloud)
            Network(self.place).ensure_link()
            self.cloud.listen(listen(namespace_file(self.place.namespace), API_ADDRESS, 80))
            self.start()
            stack.callback(self.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Start making real; whatever is there of an earlier start is taken over."""
        self.adapters = adapters.of(self.place, self.cloud, self._log)
        self._reconciler = Reconciler(self.cloud.reader, self.cloud.changes, self.adapters, adapters.READERS, self._log)
        self._reconciler.start()

    def stop(self) -> None:
        """Stop making real; everything stays as it is."""
        self._reconciler.stop()
        for adapter in self.adapters:
            adapter.close()


def settle(name: str) -> Place:
    """The place of a region on this machine; it keeps its range while it is known."""
    key = place_key(name)
    place = Place(name, allocate_number(key, None))
    place.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def use_podman(place: Place) -> None:
    """The settings of podman that this machine needs."""
    path = place.directory / "containers.conf"
    path.write_text(containers_conf(), encoding="utf-8")
    os.environ["CONTAINERS_CONF"] = str(path)


def ensure_images() -> None:
    """Build the images that this machine lacks, side by side."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(ensure_instance_image, sorted(set(DISTRIBUTIONS.values()))))


def clear(place: Place) -> None:
    """Remove everything that was made real; the place stays."""
    hosts.remove_all(place)
    for remove in adapters.LEFTOVERS:
        remove(place)
    Network(place).remove()


def leave(name: str, images: bool = False) -> None:
    """Remove every trace of a region, after a crash as well; ``images``: those too that nobody uses."""
    key = place_key(name)
    number = known_number(key)
    if number is not None:
        place = Place(name, number)
        place.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        use_podman(place)
        clear(place)
        restore_sysctls(key)
        release_number(key)
        if images:
            remove_images()
        run("rm", "-rf", str(place.directory))


def write_aws_config(place: Place, cloud: RegionControlPlane) -> Path:
    """Write the file that leads AWS clients here together with the endpoint: region and credentials."""
    path = place.directory / "aws-config"
    values = cloud.environment
    lines = ["[default]", f"region = {values['AWS_REGION']}"]
    lines += [f"{name.lower()} = {values[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
