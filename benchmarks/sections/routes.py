"""Many routes in one process: what they cost, how they get on with each other, and who takes them over."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Finding
from benchmarks.routes import idle, many_pairs, storm, takeover
from benchmarks.scale import Scale


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Each part in a folder of its own."""
    for part in (idle, storm, takeover, many_pairs):
        own = folder / part.__name__.rpartition(".")[2]
        own.mkdir()
        yield from part.run(scale, own)
