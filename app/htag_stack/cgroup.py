"""The memory limit of the container, as the kernel counts it: control groups, version 1 and 2."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

UNLIMITED = 1 << 60  # version 1 says "no limit" with a number near 2^63


class _Files(NamedTuple):
    """The names of one version's files, and in its statistics of what the kernel takes back: the page cache, and
    what it remembers of files (version 2 alone tells that)."""

    limit: str
    usage: str
    cache: tuple[str, ...]


_VERSION_1 = _Files(
    "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)  # with those of the groups below
_VERSION_2 = _Files("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable"))


class MemoryGroup(NamedTuple):
    """A control group that limits this process's memory."""

    limit: int  # bytes, for all processes in it
    folder: Path
    files: _Files

    def used(self) -> int:
        """Bytes that count against the limit and that the kernel cannot take back, as far as it tells those."""
        usage = int((self.folder / self.files.usage).read_text())
        try:
            statistics = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        except FileNotFoundError:
            statistics = {}  # a sandbox that stands in for the kernel
        return max(usage - sum(int(statistics.get(name, 0)) for name in self.files.cache), 0)


def memory_group(root: Path = Path("/")) -> MemoryGroup | None:
    """The control group with the smallest limit, of this process's own and of those above it. None: no limit.

    `/proc/self/cgroup` names a process's groups, below a mount point that `/proc/self/mountinfo` tells. With both
    versions mounted (hybrid), only one has the memory.
    """
    return min(_limited(root), key=lambda group: group.limit, default=None)


def _limited(root: Path) -> Iterator[MemoryGroup]:
    for files, mount_point, inside in _places(root):
        for folder in (mount_point / inside, *(mount_point / inside).parents):
            if not folder.is_relative_to(mount_point):
                break
            if (limit := _limit(folder / files.limit)) is not None and (folder / files.usage).exists():
                yield MemoryGroup(limit, folder, files)


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None  # the group at the top has none; a path of another namespace does not exist here
    return None if text == "max" or int(text) >= UNLIMITED else int(text)


def _places(root: Path) -> Iterator[tuple[_Files, Path, str]]:
    """Yield, for each hierarchy that may control the memory: its files' names, its mount point, and our group in it."""
    try:
        groups = dict(_groups((root / "proc/self/cgroup").read_text()))
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return  # not on Linux
    for line in mounts:
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        mounted, mount_point = before.split()[3:5]
        files = {"cgroup": _VERSION_1, "cgroup2": _VERSION_2}.get(kind)
        if files is _VERSION_2 or (files is _VERSION_1 and "memory" in options.split(",")):
            yield files, root / mount_point.lstrip("/"), _inside(groups.get(kind, "/"), mounted)


def _groups(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield "cgroup2", path
        elif "memory" in controllers.split(","):
            yield "cgroup", path


def _inside(group: str, mounted: str) -> str:
    """The path of `group` below the mount point. `mounted`: the part of the hierarchy that is mounted there.

    A container without a namespace of its own is told the host's path, and has its own group mounted.
    """
    path = group.removeprefix(mounted) if group == mounted or group.startswith(mounted.rstrip("/") + "/") else ""
    return "" if ".." in path.split("/") else path.strip("/")
