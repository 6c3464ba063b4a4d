"""`htag_stack.cgroup`: the limit that the kernel holds this container to, wherever it is written."""

from pathlib import Path

import pytest

from htag_stack.cgroup import MemoryGroup, memory_group

NO_LIMIT_1 = "9223372036854771712"
MOUNT_1 = "35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
MOUNT_2 = "30 24 0:26 {root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
UNIFIED = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
CPU_1 = "33 31 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu"


class Machine:
    """A file system with what the kernel tells."""

    def __init__(self, root: Path, groups: list[str], mounts: list[str]) -> None:
        self.root = root
        self._write("proc/self/cgroup", "\n".join(groups))
        self._write("proc/self/mountinfo", "\n".join(mounts))

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def version_1(self, folder: str, limit: str, usage: int = 0, cache: int = 0) -> None:
        here = f"sys/fs/cgroup/memory{folder}"
        self._write(f"{here}/memory.limit_in_bytes", limit)
        self._write(f"{here}/memory.usage_in_bytes", str(usage))
        # the first lines are those of this group alone, without the groups below
        self._write(f"{here}/memory.stat", f"inactive_file 1\ntotal_inactive_file {cache}\ntotal_active_file 0")

    def version_2(
        self, folder: str, limit: str, usage: int = 0, inactive: int = 0, active: int = 0, names: int = 0
    ) -> None:
        here = f"sys/fs/cgroup{folder}"
        self._write(f"{here}/memory.max", limit)
        self._write(f"{here}/memory.current", str(usage))
        self._write(
            f"{here}/memory.stat", f"anon 5\ninactive_file {inactive}\nactive_file {active}\nslab_reclaimable {names}"
        )

    def found(self) -> MemoryGroup | None:
        return memory_group(self.root)

    def limit(self) -> int | None:
        group = self.found()
        return group.limit if group else None


def test_version_2_in_a_namespace(tmp_path: Path) -> None:
    machine = Machine(tmp_path, ["0::/"], [MOUNT_2.format(root="/")])
    machine.version_2("", "1000", usage=800, inactive=300, active=100)
    assert machine.limit() == 1000
    assert (group := machine.found())
    assert group.used() == 400


def test_what_the_kernel_remembers_of_files_it_takes_back(tmp_path: Path) -> None:
    """Names and inodes, one KiB a file: an app that looks through half a million files seemed to be full."""
    machine = Machine(tmp_path, ["0::/"], [MOUNT_2.format(root="/")])
    machine.version_2("", "1000", usage=800, inactive=100, names=500)
    assert (group := machine.found())
    assert group.used() == 200


def test_version_1_without_a_namespace(tmp_path: Path) -> None:
    """Docker's default there: told the host's path, with the container's own group mounted."""
    machine = Machine(
        tmp_path, ["4:memory:/docker/abc", "1:cpu:/docker/abc"], [CPU_1, MOUNT_1.format(root="/docker/abc")]
    )
    machine.version_1("", "1000", usage=900, cache=250)
    assert machine.limit() == 1000
    assert (group := machine.found())
    assert group.used() == 650


def test_version_1_in_a_namespace(tmp_path: Path) -> None:
    machine = Machine(tmp_path, ["4:cpu,memory:/"], [MOUNT_1.format(root="/")])
    machine.version_1("", "1000")
    assert machine.limit() == 1000


@pytest.mark.parametrize("path", ["/../../other", "/not/here", "/dockerabc"])
def test_a_path_of_another_namespace_means_what_is_mounted(tmp_path: Path, path: str) -> None:
    machine = Machine(tmp_path, [f"4:memory:{path}"], [MOUNT_1.format(root="/docker")])
    machine.version_1("", "1000")
    assert machine.limit() == 1000


def test_the_smallest_limit_above_counts_with_what_is_used_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path, ["0::/kubepods/pod/box"], [MOUNT_2.format(root="/")])
    machine.version_2("/kubepods/pod/box", "max", usage=100)
    machine.version_2("/kubepods/pod", "700", usage=500)
    machine.version_2("/kubepods", "9000", usage=8000)
    assert machine.limit() == 700
    assert (group := machine.found())
    assert group.used() == 500


def test_with_both_versions_the_one_that_has_the_memory_counts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, ["4:memory:/box", "0::/box"], [MOUNT_1.format(root="/"), UNIFIED])
    machine.version_1("/box", "1000")
    machine.version_1("", NO_LIMIT_1)
    (tmp_path / "sys/fs/cgroup/unified/box").mkdir(parents=True)
    assert machine.limit() == 1000


@pytest.mark.parametrize("version", [1, 2])
def test_a_kernel_that_tells_no_page_cache_keeps_no_worker_from_starting(tmp_path: Path, version: int) -> None:
    """Sandboxes that stand in for the kernel have the limit and the usage, and not all of the rest."""
    mount = MOUNT_1 if version == 1 else MOUNT_2
    machine = Machine(tmp_path, ["4:memory:/" if version == 1 else "0::/"], [mount.format(root="/")])
    make = machine.version_1 if version == 1 else machine.version_2
    make("", "1000", usage=800)
    group = machine.found()
    assert group
    (group.folder / "memory.stat").unlink()
    assert group.used() == 800


@pytest.mark.parametrize("version", [1, 2])
def test_no_limit_is_none(tmp_path: Path, version: int) -> None:
    if version == 1:
        machine = Machine(tmp_path, ["4:memory:/box"], [MOUNT_1.format(root="/")])
        machine.version_1("/box", NO_LIMIT_1)
    else:
        machine = Machine(tmp_path, ["0::/box"], [MOUNT_2.format(root="/")])
        machine.version_2("/box", "max")
    assert machine.found() is None


def test_without_any_of_it_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_group(tmp_path) is None


def test_on_this_machine_it_can_be_asked() -> None:
    group = memory_group()
    assert group is None or 0 < group.used() <= group.limit
