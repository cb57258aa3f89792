"""Where experiments are found: by path, among the user's own, in the library that is shipped."""

from __future__ import annotations

from pathlib import Path

from chaos.errors import InvalidInput

OWN = Path("experiments")  # below the directory that chaos is called in
SUFFIX = ".yaml"


def find(name: str) -> Path:
    """The file of the experiment that a user names by path or by name, with `.yaml` or without.

    Raises InvalidInput that says where it was looked for.
    """
    places = [Path(name)]
    if Path(name).name == name:  # what has a directory is a path and nothing else
        places += [OWN / name, _shipped() / name]
    for place in places:
        for path in (place, Path(f"{place}{SUFFIX}")):
            if _is_file(path):
                return path
    from chaos.schema import did_you_mean  # brings pydantic, which completion must not wait for

    hint = did_you_mean(Path(name).name.removesuffix(SUFFIX), names())
    looked = ", ".join(str(place) for place in places)
    raise InvalidInput(f"{name}: there is no such experiment; looked for {looked}{hint}")


def names() -> list[str]:
    """What experiments are called, without `.yaml`: the user's own first."""
    return list(dict.fromkeys(path.stem for path in [*own(), *shipped()]))


def own() -> list[Path]:
    """The user's own experiments, by name; never the shipped ones, not even in a checkout."""
    found = sorted(path for path in OWN.glob(f"*{SUFFIX}") if _is_file(path))
    return [path for path in found if not is_shipped(path)]


def is_shipped(path: Path) -> bool:
    """Whether that file is of the library, by whatever name it was found."""
    return path.resolve().parent == _shipped().resolve()


def shipped() -> list[Path]:
    """The experiments that come with chaos, by name."""
    return sorted(_shipped().glob(f"*{SUFFIX}"))


def _shipped() -> Path:
    """In a wheel the library lies in the package; in a checkout, beside it."""
    package = Path(__file__).parent
    inside = package / "experiments"
    return inside if inside.is_dir() else package.parent / "experiments"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a directory that may not be read
        return False
