"""Notes that only a second reconciler can have written, and all that looks like one and is ours."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import text
from reconciler.core.model import Kind, Note, Observation, Person, Side, Status
from reconciler.core.product import JSM, OPSGENIE, Product
from reconciler.core.second_reconciler import foreign_notes
from tests.support.builders import ANA, BOT, JANE, ROBOT, account, action, at, incident, pair, policy

FIRST, SECOND = (text.act_mark(Side.ALERTS, "Ana Ruiz", at(seconds)) for seconds in (1, 2))
COPY = Note("N1", BOT, f"{FIRST} any news?", at(20))
MARK = "[PagerDuty · Jane Doe · note P1]"
SIGNED = Note("o1", Person("", text.signature("Jane Doe")), f"{MARK} on it", at(20))
CLEAR: dict[str, Any] = {"mark": FIRST, "status": Status.DONE, "result_id": "N0", "sent_at": at(15)}


def seen(*mine: Any, **changed: Any) -> Observation:
    return replace(Observation("a-1", pair(), incident_notes=(COPY,), mine=mine), **changed)


def ours(kind: Kind = Kind.PAGERDUTY_NOTE, **changed: Any) -> Any:
    return action(kind, **(CLEAR | changed))


@pytest.mark.parametrize(
    "mine",
    [
        (),
        (ours(mark=SECOND),),
        (ours(),),
        (ours(sent_at=None, result_id="N1"),),
        (ours(status=Status.PLANNED, sent_at=None, result_id=""),),
    ],
    ids=["nothing", "another note", "the same note, written once", "found and not written", "still to be written"],
)
def test_a_copy_that_no_write_of_ours_can_have_added_is_foreign(mine: tuple[Any, ...]) -> None:
    assert foreign_notes(seen(*mine), policy()) == (COPY,)


@pytest.mark.parametrize(
    "mine",
    [
        ours(result_id="N1"),
        ours(status=Status.SENT, result_id=""),
        ours(attempts=1),
        ours(status=Status.PLANNED, result_id=""),
        ours(result_id=""),
    ],
    ids=["its result", "under way", "written twice perhaps", "tried before", "done without an id"],
)
def test_a_copy_that_a_write_of_ours_may_have_added_is_not(mine: Any) -> None:
    assert foreign_notes(seen(mine), policy()) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"pair": None},
        {"pair": pair(incident_id=None), "incident": incident()},
        {"known_notes": frozenset({(Side.PAGERDUTY, "N1")})},
        {"incident_notes": None},
        {"incident_notes": (replace(COPY, author=JANE),)},
        {"incident_notes": (replace(COPY, text="by hand"),)},
    ],
    ids=["unknown pair", "adopted", "known", "unread", "a person's", "no mark"],
)
def test_what_proves_nothing_is_not_foreign(changed: dict[str, Any]) -> None:
    assert foreign_notes(seen(**changed), policy()) == ()


def test_in_opsgenie_a_signed_note_is_foreign_if_no_action_bears_its_mark() -> None:
    shown = {"incident_notes": None, "alert_notes": (SIGNED, replace(SIGNED, author=ANA))}
    assert foreign_notes(seen(**shown), policy()) == (SIGNED,)
    assert foreign_notes(seen(ours(Kind.ALERT_NOTE, mark=MARK), **shown), policy()) == ()


def test_in_jsm_a_note_of_our_account_is_foreign_if_it_has_a_mark_that_no_action_bears() -> None:
    ours_there = replace(SIGNED, author=ROBOT)
    shown = {"incident_notes": None, "alert_notes": (ours_there, replace(ours_there, text="by hand"))}
    assert foreign_notes(seen(**shown), account()) == (ours_there,)
    assert foreign_notes(seen(ours(Kind.ALERT_NOTE, mark=MARK), **shown), account()) == ()


@pytest.mark.parametrize("product", [OPSGENIE, JSM])
def test_a_note_that_was_written_before_a_move_is_not_foreign(product: Product) -> None:
    before = text.act_mark(Side.ALERTS, "Ana Ruiz", at(1), OPSGENIE if product is JSM else JSM)
    mine = ours(mark=before, result_id="", attempts=1)
    assert foreign_notes(seen(mine), policy(product=product)) == ()
    copy = replace(COPY, text=f"{before} any news?")
    assert foreign_notes(seen(incident_notes=(copy,)), policy(product=product)) == (copy,)
