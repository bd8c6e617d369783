"""The priorities that PAGERDUTY_PRIORITIES names: when the list is read, and what a page does without it."""

import pytest

from reconciler.core.model import Kind
from reconciler.errors import Duplicate, Permanent, ReconcilerError, Refused, Unknown
from reconciler.reconcile.priorities import RETRY, Priorities, objection
from reconciler.reconcile.vendor_calls import CallResult
from reconciler.vendors.call_context import current
from tests.support.builders import action
from tests.support.clock import SimClock

LISTED = {"SEV-1": "PA", "Sev 2": "PB"}
PAGE = action(Kind.CREATE_INCIDENT, priority="SEV-1")
ALONE = action(Kind.PAGERDUTY_SET_URGENCY, priority="SEV-1")
RAISE = action(Kind.PAGERDUTY_SET_URGENCY, priority="SEV-1", urgency="high")
INTERVAL = 300.0


class Reader:
    """PagerDuty's list of priorities."""

    def __init__(self) -> None:
        self.answer: dict[str, str] | ReconcilerError | None = dict(LISTED)
        self.within: list[float | None] = []

    def priorities(self) -> dict[str, str] | None:
        self.within.append(current().within)
        if isinstance(self.answer, ReconcilerError):
            raise self.answer
        return self.answer


class Bench:
    """The priorities, a list that a test sets, and writes that PagerDuty may refuse."""

    def __init__(self, *names: str) -> None:
        self.reader, self.clock = Reader(), SimClock()
        self.priorities = Priorities(self.reader, names, self.clock, INTERVAL)  # type: ignore[arg-type]
        self.refuses: ReconcilerError | None = None
        self.sent: list[str] = []

    def call(self, priority_id: str) -> CallResult:
        self.sent.append(priority_id)
        if self.refuses is not None and priority_id:
            raise self.refuses
        return CallResult(result_id="PINC1")

    def attempt(self, made: object = PAGE) -> list[str]:
        """The ids that were sent with one write."""
        self.sent.clear()
        self.priorities.attempt(made, self.call)  # type: ignore[arg-type]
        return list(self.sent)


def test_the_list_is_read_once_when_a_priority_is_needed_and_within_a_short_time() -> None:
    bench = Bench("SEV-1")
    assert bench.reader.within == []
    for _ in range(3):
        assert bench.attempt() == ["PA"]
        bench.clock.advance(10 * INTERVAL)
        bench.priorities.refresh()
    assert bench.reader.within == [2.0]
    assert bench.priorities.words == ""


def test_without_the_setting_nothing_is_asked() -> None:
    bench = Bench()
    bench.priorities.refresh()
    assert bench.attempt(action(Kind.CREATE_INCIDENT)) == [""]
    assert (bench.reader.within, bench.priorities.words) == ([], "")


def test_a_name_is_found_in_any_case_and_first_as_it_is_written() -> None:
    bench = Bench("sev 2", "sev-1")
    bench.reader.answer = {"SEV-1": "PA", "sev-1": "PC", "Sev 2": "PB", "SEV 2": "PD"}
    assert [bench.priorities.id_of(name) for name in ("sev 2", "sev-1")] == ["PB", "PC"]


def test_an_unknown_name_means_no_priority_and_is_looked_up_again_once_an_interval() -> None:
    bench = Bench("SEV-1", "SEV-9")
    lost = action(Kind.CREATE_INCIDENT, priority="SEV-9")
    assert (bench.attempt(lost), bench.attempt()) == ([""], ["PA"])
    assert bench.priorities.words == (
        'PAGERDUTY_PRIORITIES: PagerDuty has no priority "SEV-9", so that incidents get none in its place; '
        'give one of "SEV-1", "Sev 2"'
    )
    bench.reader.answer = LISTED | {"SEV-9": "PZ"}
    bench.clock.advance(INTERVAL - 1)
    bench.priorities.refresh()
    assert (len(bench.reader.within), bench.attempt(lost)) == (1, [""])
    bench.clock.advance(1)
    bench.priorities.refresh()
    assert (bench.attempt(lost), bench.priorities.words) == (["PZ"], "")


@pytest.mark.parametrize("error", [Unknown("timed out"), Refused("402")])
def test_a_list_that_cannot_be_read_delays_no_page_and_is_read_again(error: ReconcilerError) -> None:
    bench = Bench("SEV-1")
    bench.reader.answer = error
    assert bench.attempt() == [""]
    assert f"cannot be read ({error}), so that incidents get no priority; see that" in bench.priorities.words
    bench.reader.answer = LISTED
    bench.clock.advance(RETRY)
    bench.priorities.refresh()
    assert (bench.attempt(), bench.priorities.words) == (["PA"], "")


@pytest.mark.parametrize(
    ("listed", "says"),
    [(None, "PagerDuty shows none to our key, so that"), ({}, "PagerDuty's account has no priorities, so that")],
)
def test_an_account_without_priorities_is_told(listed: dict[str, str] | None, says: str) -> None:
    assert says in objection(["SEV-1"], listed)


@pytest.mark.parametrize(
    "error", [Permanent("400: Invalid Priority", 400), Refused("402: Missing Account Ability")]
)
@pytest.mark.parametrize("made", [PAGE, RAISE])
def test_what_is_refused_with_a_priority_is_made_without_it_at_once(made: object, error: ReconcilerError) -> None:
    bench = Bench("SEV-1")
    bench.refuses = error
    assert bench.attempt(made) == ["PA", ""]
    assert f'PagerDuty refused the priority "SEV-1" ({error})' in bench.priorities.words
    assert bench.attempt(made) == [""], "it is not tried again before the list was read"
    bench.clock.advance(INTERVAL)
    bench.priorities.refresh()
    assert bench.attempt(made) == ["PA", ""]
    bench.refuses = None
    bench.clock.advance(INTERVAL)
    bench.priorities.refresh()
    assert "refused" in bench.priorities.words, "until one is accepted"
    assert (bench.attempt(made), bench.priorities.words) == (["PA"], "")


def test_a_refusal_that_has_another_reason_is_the_write_s_own() -> None:
    bench = Bench("SEV-1")
    refused = Permanent("400: Title is too long", 400)

    def call(_: str) -> CallResult:
        raise refused

    with pytest.raises(Permanent, match="Title"):
        bench.priorities.attempt(PAGE, call)
    assert bench.priorities.words == ""
    assert bench.attempt() == ["PA"]


@pytest.mark.parametrize("error", [Duplicate("there is one"), Unknown("timed out")])
def test_what_is_no_refusal_is_not_sent_twice(error: ReconcilerError) -> None:
    bench = Bench("SEV-1")
    bench.refuses = error
    with pytest.raises(type(error)):
        bench.attempt()
    assert bench.sent == ["PA"]
    assert bench.priorities.words == ""


def test_a_plain_creation_has_no_priority() -> None:
    bench = Bench("SEV-1")
    assert bench.attempt(action(Kind.CREATE_INCIDENT, priority="SEV-1", plain=True)) == [""]


def test_a_change_of_the_priority_alone_is_pointless_without_an_id_and_no_refusal_of_the_account() -> None:
    bench = Bench("SEV-1", "SEV-9")
    assert bench.priorities.objection(ALONE) is None
    lost = action(Kind.PAGERDUTY_SET_URGENCY, priority="SEV-9")
    assert bench.priorities.objection(lost) == "PagerDuty's priority SEV-9 is not known"
    assert bench.priorities.objection(action(Kind.PAGERDUTY_SET_URGENCY, priority="SEV-9", urgency="high")) is None
    bench.refuses = Refused("402")
    with pytest.raises(Permanent):
        bench.attempt(ALONE)
    assert bench.sent == ["PA"]
    assert bench.priorities.objection(ALONE) is not None
