"""Why nobody is paged: each reason once, with the alerts it concerns."""

from dataclasses import replace
from datetime import timedelta

from reconciler.operations.paging import MOST_NAMED, WAITING_PAGE_GRACE, named, objections
from reconciler.store.overview import Paging, WaitingPage
from tests.support.builders import at, pair

NOW = at(600)
BARE = replace(pair(), unpaged="incident #4711 is assigned to the automation user alone")


def many(number: int) -> tuple[Paging, list[str]]:
    """So many pairs that page nobody, and their ids."""
    pairs = [replace(BARE, alert_id=f"a-{each}", tiny_id=str(each)) for each in range(number)]
    ids = [each.alert_id for each in pairs]
    return Paging(unpaged=tuple(pairs), names=dict(zip(ids, pairs, strict=True))), ids


def test_nothing_is_wrong_while_nothing_waits() -> None:
    assert objections(Paging(), NOW) == []


def test_a_few_pairs_that_page_nobody_are_named_one_by_one_and_many_together() -> None:
    few, ids = many(MOST_NAMED)
    assert [key for key, _ in objections(few, NOW)] == [f"unpaged {each}" for each in ids]
    more, _ = many(MOST_NAMED + 2)
    ((key, words),) = objections(more, NOW)
    assert key == "unpaged"
    assert words.startswith('nobody is paged for #0 "Disk full", ')
    assert words.endswith(f'#4 "Disk full" and 2 more: {BARE.unpaged}')


def test_a_page_that_waits_is_told_after_its_grace_with_the_age_of_the_oldest() -> None:
    just, late = (NOW - WAITING_PAGE_GRACE, NOW - timedelta(minutes=5))
    assert objections(Paging(waiting=(WaitingPage("a-1", just, "503"),)), NOW) == []
    waiting = (WaitingPage("a-1", just - timedelta(seconds=1), ""), WaitingPage("a-2", late, "503"))
    assert objections(Paging(waiting=waiting, names={"a-1": pair()}), NOW) == [
        ("waiting", '2 pages wait (#17 "Disk full" and alert a-2), the oldest for 5 min: 503')
    ]


def test_dead_pages_are_told_at_once_with_the_command_that_puts_them_back() -> None:
    ((key, words),) = objections(Paging(dead=(WaitingPage("a-1", NOW, "refused"),)), NOW)
    assert key == "dead"
    assert words.startswith("1 page is dead (alert a-1): refused; ")
    assert "reconciler retry --all" in words


def test_what_another_problem_already_says_has_the_same_keys_as_its_objections() -> None:
    paging, ids = many(2)
    said = [f"PAGERDUTY_USER: {BARE.unpaged}"]
    assert named(paging, said) == {"unpaged", *(f"unpaged {each}" for each in ids)}
    other = replace(BARE, alert_id="b", unpaged="incident #9 pages nobody")
    assert named(replace(paging, unpaged=(*paging.unpaged, other)), said) == {f"unpaged {each}" for each in ids}
