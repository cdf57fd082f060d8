"""How many files and connections the process may have open at once.

Every connection is an open file. The usual soft limit, 1,024, is kept low for old programs that use
``select``; one client with as many half-sent requests would stop every call.
"""

import logging

ENOUGH = 4_096  # of one process: its callers, those who read pages, and some who only hold lines

log = logging.getLogger(__name__)


def raise_limit() -> None:
    """Raise the soft limit of this process to its hard limit, which needs no privilege.

    Does nothing where the system has no such limit (Windows). A system that refuses (macOS, where
    the hard limit is infinite) is logged, and the limit stays as it was.
    """
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as fault:
        log.warning("the limit of open files stays at %d: %s", soft, fault)


def highest() -> int | None:
    """The hard limit of this process, to which serving raises the soft one; None if it has none."""
    try:
        import resource
    except ImportError:
        return None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard
