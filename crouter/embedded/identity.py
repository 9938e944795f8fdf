"""Decides as which user the server runs, and ties its life to ours.

PostgreSQL refuses to run as root. As root it is therefore started inside a user namespace, where
root's own id is called nobody: the files stay root's and nothing on the machine changes. Where
namespaces are forbidden it is started as the user nobody, who then owns the data folder. That is
the second choice, because other programs that run as nobody could then reach the data.

On Linux the kernel sends the server SIGINT, a fast and clean shutdown, when the *thread* that
started it ends, however it ends; `crouter.embedded.process` keeps such a thread. Other systems have
nothing like it: there the server is stopped at the normal end of the process, and a parent killed
with SIGKILL leaves it running; the next start then refuses and names its process id.
"""

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crouter.embedded.errors import ClusterError

_NOBODY_ID = 65534
_DEATH_SIGNAL = ("setpriv", "--pdeathsig", "INT")
# Our death may come before the kernel was told to watch for it: then the parent is another one
# already. A core file would hold rows and statements.
_GUARD = 'ulimit -c 0; [ "$PPID" = "$0" ] || exit 75; exec "$@"'
_START_SECONDS = 30


@dataclass(frozen=True)
class Identity:
    """As whom programs run: `uid` and `gid` as seen by everybody else on the machine.

    `launch` is the command that gives a program this identity. It ends by executing the program,
    so that the process id stays the one we started.
    """

    name: str
    uid: int
    gid: int
    launch: tuple[str, ...]

    def command(self, program: Sequence[str]) -> list[str]:
        """The command line for `program`; only a direct child of this process can run it."""
        return [*self.launch, "sh", "-c", _GUARD, str(os.getpid()), *program]

    def works(self) -> bool:
        """Whether this machine lets us start a program this way."""
        try:
            tried = subprocess.run(  # noqa: S603 - our own command line
                self.command(["true"]),
                env=child_environment(),
                capture_output=True,
                check=False,
                timeout=_START_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return tried.returncode == 0

    def require_reach(self, *paths: Path) -> None:
        """Raise ClusterError if a folder above one of the absolute `paths` is closed to us."""
        for path in paths:
            for folder in reversed(path.parents):
                if folder.exists() and not self._may_enter(folder):
                    raise ClusterError(
                        f"PostgreSQL refuses to run as root, and the user it would run as here, {self.name} "
                        f"(id {self.uid}), may not enter {folder}, which is above {path}. Start as the folder's "
                        f"owner, or allow user namespaces (sysctl user.max_user_namespaces, container options), "
                        f"or move the project to a folder open to others."
                    )

    def _may_enter(self, folder: Path) -> bool:
        facts = folder.stat()
        if facts.st_uid == self.uid:
            return bool(facts.st_mode & stat.S_IXUSR)
        groups = {self.gid, *(os.getgroups() if self.uid == os.geteuid() else ())}
        bit = stat.S_IXGRP if facts.st_gid in groups else stat.S_IXOTH
        return bool(facts.st_mode & bit)

    def require_owner(self, folder: Path) -> None:
        """Raise ClusterError if an existing `folder` is somebody else's.

        Only root changes owners, and only between the two ids that root itself starts servers as:
        a folder of an ordinary user stays theirs.
        """
        if not folder.exists():
            return
        owner = folder.stat().st_uid
        allowed = {self.uid, 0, _nobody()[0]} if os.geteuid() == 0 else {self.uid}
        if owner not in allowed:
            raise ClusterError(
                f"{folder} belongs to the user with id {owner}, and the server would run with id "
                f"{self.uid}. Start as the user it belongs to, or choose another folder."
            )

    def take_over(self, folder: Path) -> None:
        """Make `folder` and all in it this identity's own; see `require_owner`."""
        if folder.stat().st_uid == self.uid:
            return
        # From the leaves up: if this is interrupted, the top still shows that it is not done.
        for parent, folders, files in os.walk(folder, topdown=False):
            for name in (*files, *folders):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)


def server_identity() -> Identity:
    """The first way of starting PostgreSQL that works for this user on this machine."""
    candidates = list(possible_identities())
    for identity in candidates:
        if identity.works():
            return identity
    tried = "; ".join(" ".join(identity.launch) for identity in candidates)
    raise ClusterError(
        f"no way to start PostgreSQL as user id {os.geteuid()} works here (tried: {tried or 'none'}"
        f"). PostgreSQL refuses to run as root: start as an ordinary user, or install util-linux."
    )


def possible_identities() -> Iterator[Identity]:
    """What may work for the present user, best first."""
    if os.geteuid() != 0:
        yield from _own_identities()
    elif sys.platform == "linux":
        yield namespace_identity()
        yield nobody_identity()


def namespace_identity() -> Identity:
    """For root: root's files, but called nobody inside a user namespace."""
    uid, gid = _nobody()
    mapping = ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}")
    return Identity("root without privileges", os.geteuid(), os.getegid(), (*mapping, *_DEATH_SIGNAL))


def nobody_identity() -> Identity:
    """For root where user namespaces are forbidden: really the user nobody."""
    uid, gid = _nobody()
    change = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    return Identity("nobody", uid, gid, (*change, *_DEATH_SIGNAL[1:]))


def _own_identities() -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if sys.platform != "linux":
        yield Identity("yourself", uid, gid, ())
        return
    yield Identity("yourself", uid, gid, _DEATH_SIGNAL)
    lifeline = str(Path(__file__).with_name("lifeline.py"))
    yield Identity("yourself", uid, gid, (sys.executable, "-I", "-S", lifeline))


def _nobody() -> tuple[int, int]:
    # initdb looks the name of its user up, so the id has to be one the machine knows.
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY_ID, _NOBODY_ID
    return entry.pw_uid, entry.pw_gid


def child_environment() -> dict[str, str]:
    """What PostgreSQL's programs get to see of our environment: no keys, no PG* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
