"""All reads that the core requires of one pair, answered as a test says."""

from dataclasses import dataclass, field
from typing import Any

from reconciler.core import reads
from reconciler.core.model import Observation, Side
from reconciler.core.policy import Policy
from reconciler.core.read_answers import answered
from reconciler.core.read_progress import Failure, Progress, Read, What
from reconciler.core.reads import Finished
from reconciler.core.work import ReadRequest
from tests.support.builders import OG, PD, at, observation, pair
from tests.support.builders import policy as rules

MISSING, FORBIDDEN, UNREAD = Failure.MISSING, Failure.FORBIDDEN, Failure.UNREAD
NONE: frozenset[Side] = frozenset()
BOTH, ONLY_OG, ONLY_PD = frozenset(Side), frozenset({OG}), frozenset({PD})


@dataclass
class Run:
    """All reads of one pair, answered by kind, or by kind and id; without an answer a read is UNREAD."""

    request: ReadRequest
    known: Observation = field(default_factory=lambda: observation(pair=pair()))
    answers: dict[Any, Any] = field(default_factory=dict)
    now: float = 60
    policy: Policy = field(default_factory=rules)
    made: list[Read] = field(default_factory=list)

    def __post_init__(self) -> None:
        progress = self.begun
        while (read := reads.next_read(progress)) is not None:
            assert read not in self.made
            self.made.append(read)
            answer = self.answers.get(read.key, self.answers.get(read.what, UNREAD))
            progress = answered(progress, read, answer)
        self.finished: Finished = reads.finished(progress)

    @property
    def begun(self) -> Progress:
        return reads.begin(self.request, self.known, self.policy, at(self.now))

    @property
    def whats(self) -> list[What]:
        return [read.what for read in self.made]

    @property
    def seen(self) -> Observation:
        return self.finished.observation

    @property
    def unread(self) -> frozenset[Side]:
        return self.finished.unread


def ask(**more: Any) -> ReadRequest:
    return ReadRequest(**more)
