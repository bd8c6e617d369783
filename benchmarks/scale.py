"""The sizes of the benchmarks: full, or small to check that they still run (BENCH_QUICK=1)."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes. A quick run's figures are no measurement."""

    quick: bool

    def of(self, full: int, quick: int) -> int:
        """A size."""
        return quick if self.quick else full

    def sizes(self, *full: int, quick: int) -> list[int]:
        """Sizes up to one, of a list in ascending order."""
        return [size for size in full if size <= quick or not self.quick]


def scale() -> Scale:
    """The scale that the environment asks for."""
    return Scale(os.environ.get("BENCH_QUICK", "") not in ("", "0"))
