"""What on this system forbids namespaces to plain users, in one sentence with what to do."""

from __future__ import annotations

from pathlib import Path

WITHOUT = "without --transparent, AWS_ENDPOINT_URL leads the command to the proxy"
# A file, what it holds where it forbids, and what to do about it.
LIMITS = (
    (
        "sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        (
            "AppArmor keeps user namespaces from plain users (as Ubuntu does since 23.10);"
            " sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 allows them"
        ),
    ),
    (
        "sys/user/max_user_namespaces",
        "0",
        (
            "this system allows no user namespaces;"
            " sudo sysctl user.max_user_namespaces=10000 allows them"
        ),
    ),
    (
        "sys/user/max_net_namespaces",
        "0",
        (
            "this system allows no network namespaces;"
            " sudo sysctl user.max_net_namespaces=10000 allows them"
        ),
    ),
    (
        "sys/kernel/unprivileged_userns_clone",
        "0",
        (
            "this kernel keeps user namespaces from plain users;"
            " sudo sysctl kernel.unprivileged_userns_clone=1 allows them"
        ),
    ),
)
CONTAINERS = (".dockerenv", "run/.containerenv")
IN_CONTAINER = (
    "the container's runtime seems to forbid namespaces; start the container with"
    " --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
)


def why_forbidden(number: int, words: str, root: Path = Path("/")) -> str:
    """Why no namespace could be made, by the error and what the system says of itself."""
    for file, forbidding, sentence in LIMITS:
        if _says(root / "proc" / file) == forbidding:
            return f"--transparent cannot be here: {sentence}; {WITHOUT}"
    if any((root / file).exists() for file in CONTAINERS):
        return f"--transparent cannot be here: {IN_CONTAINER}; {WITHOUT}"
    return (
        f"--transparent cannot be here: the system refuses a namespace ({words}, error {number});"
        f" root may be allowed to make one; {WITHOUT}"
    )


def _says(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:
        return None
