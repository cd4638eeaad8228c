"""One local AWS for all processes of a test run: the first deploys it, and waits for the others.

Locks are of the operating system, so that a process that dies lets go of what it held.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.cloud import Cloud
from halftone_local import supervisor


@contextmanager
def held(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the lock ``path`` with others, or alone; waits until that is so."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@dataclass(frozen=True)
class Shared:
    """Files in a folder that all processes of a test run know."""

    folder: Path

    @property
    def turn(self) -> Path:
        """Held by each test while it runs: with others, or alone if it breaks shared parts."""
        return self.folder / "e2e-turn"

    @contextmanager
    def cloud(
        self, home: Path, report: Callable[[str], None], deploy: Callable[[Cloud], None]
    ) -> Iterator[Cloud]:
        """The run's local AWS, deployed by whoever comes first.

        Each process has the endpoints' declarations in a ``home`` of its own, as people have their
        own checkouts: the CDK CLI lets no two deploys share a folder.
        """
        with (self.folder / "e2e-users").open("a") as users:
            with held(self.folder / "e2e-deploying", alone=True):
                cloud = self._found(home, report)
                mine = cloud is None
                if cloud is None:
                    cloud = Cloud(supervisor.start(), home, report)
                    try:
                        deploy(cloud)
                    except BaseException:
                        cloud.aws.stop()
                        raise
                    shutil.copytree(cloud.endpoints, self._declared, dirs_exist_ok=True)
                    self._address.write_text(str(cloud.aws.port))
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield cloud
            finally:
                if mine:
                    fcntl.flock(users, fcntl.LOCK_EX)
                    self._address.unlink()
                    cloud.aws.stop()

    @property
    def _address(self) -> Path:
        return self.folder / "e2e-address"

    @property
    def _declared(self) -> Path:
        return self.folder / "e2e-endpoints"

    def _found(self, home: Path, report: Callable[[str], None]) -> Cloud | None:
        if not self._address.exists():
            return None
        aws = supervisor.running(int(self._address.read_text()))
        if aws is None:
            return None
        cloud = Cloud(aws, home, report)
        shutil.copytree(self._declared, cloud.endpoints)
        return cloud
