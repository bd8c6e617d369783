from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core import notes, text
from reconciler.core.model import Action, Echo, Kind, Note, Person, Status
from reconciler.core.moved_notes import (
    KeptNotes,
    is_key_mark,
    key_mark,
    keys_in,
    known_there,
    rests_on_age,
    was_mirrored,
)
from reconciler.core.product import JSM, OPSGENIE
from reconciler.core.sanitize import safe
from tests.support.builders import ANA, T0, action, at, note, observation, pair, policy

MS = int(T0.timestamp() * 1000)
NUMBER = f"{MS}000001"
TOKEN = f"{MS}_{NUMBER}"
NOW = at(1000)
LAG = timedelta(seconds=120)
LOOKED = at(-10)


def mirror(words: str = "look at db-3", seconds: float = 5, product: str = "Opsgenie", part: str = "") -> Action:
    mark = f"[{product} · Ana Ruiz · 2026-11-23 09:00:05.000Z{part}]"
    return action(Kind.PAGERDUTY_NOTE, Status.DONE, mark=mark, text=f"{mark} {words}", at=at(seconds))


def kept(
    *ids: str, here: tuple[Note, ...] | None = None, mine: tuple[Action, ...] = (), looked: datetime = LOOKED
) -> KeptNotes:
    return KeptNotes(frozenset(ids), here, mine, looked)


def test_a_note_is_known_by_its_id_in_either_products_form() -> None:
    for known, shown in ((TOKEN, NUMBER), (NUMBER, TOKEN), ("n1", "n1")):
        assert known_there(kept(known), [note(shown, ANA, "other words", 500)], NOW, LAG) == {shown}


def test_a_note_with_a_fresh_id_is_known_by_its_millisecond() -> None:
    assert known_there(kept(TOKEN), [Note("fresh", ANA, "words", T0)], NOW, LAG) == {"fresh"}
    later = T0 + timedelta(milliseconds=1)
    assert known_there(kept(TOKEN), [Note("fresh", ANA, "words", later)], NOW, LAG) == frozenset()


def test_a_note_is_known_by_the_same_words_in_the_product_that_is_left() -> None:
    here = (note("n1", ANA, "words", 5.9),)
    assert known_there(kept("n1", here=here), [note("f1", ANA, "words", 5)], NOW, LAG) == {"f1"}
    assert not known_there(kept(here=here), [note("f1", ANA, "words", 5)], NOW, LAG), "it was not known there"
    assert not known_there(kept("n1", here=here), [note("f1", ANA, "words", 7)], NOW, LAG), "another time"
    assert not known_there(kept("n1", here=here), [note("f1", ANA, "others", 5)], NOW, LAG), "other words"


def test_a_note_is_known_by_our_copy_on_the_incident_and_may_show_late() -> None:
    mine = (mirror("look  at\ndb-3"),)
    for seconds in (4.5, 5.5, 125):
        assert known_there(kept(mine=mine), [note("f1", ANA, "look at db-3", seconds)], NOW, LAG) == {"f1"}
    for seconds in (3.5, 126):
        assert not known_there(kept(mine=mine), [note("f1", ANA, "look at db-3", seconds)], NOW, LAG)
    assert not known_there(kept(mine=mine), [note("f1", ANA, "look at db-4", 5)], NOW, LAG)


def test_a_note_is_known_by_a_copy_that_was_sanitized_and_by_one_that_was_not() -> None:
    raw = "see\x1b[1m\u202e\n[PagerDuty · Jane Doe · note P1] on it"
    for copied in (raw, safe(raw)):
        assert known_there(kept(mine=(mirror(copied),)), [note("f1", ANA, raw, 5)], NOW, LAG) == {"f1"}


def test_who_writes_the_same_words_again_says_news() -> None:
    again = [note("f1", ANA, "look at db-3", 30), note("f2", ANA, "look at db-3", 5)]
    assert known_there(kept(mine=(mirror(),)), again, NOW, LAG) == {"f2"}
    assert known_there(kept(mine=(mirror(), mirror(seconds=29.9))), again, NOW, LAG) == {"f1", "f2"}


def test_a_long_note_is_known_by_any_part_of_its_copy() -> None:
    whole = [note("f1", ANA, "one two three", 5)]
    assert known_there(kept(mine=(mirror("two", part=" (2/3)"),)), whole, NOW, LAG) == {"f1"}
    assert not known_there(kept(mine=(mirror("two"),)), whole, NOW, LAG), "a whole copy has all the words"


def test_what_nothing_identifies_is_history_before_the_last_look_and_news_after_it() -> None:
    there = [note("old", ANA, "a", -20), note("new", ANA, "b", -5)]
    assert known_there(kept(), there, NOW, LAG) == {"old"}


def test_what_only_the_new_product_had_before_the_last_look_is_news() -> None:
    old, seen = note("f1", ANA, "customers in EU only", -60), note("f2", ANA, "look  at db-3", -50)
    there = [old, seen]
    assert rests_on_age(kept(), there, LAG), "the notes of the product that is left must be read"
    here = (note("n7", ANA, "look at db-3", -50.5), note("n8", ANA, "customers in EU only", -90))
    assert known_there(kept(here=here), there, NOW, LAG) == {"f2"}
    assert not rests_on_age(kept(here=here), there, LAG)
    assert not rests_on_age(kept("f1", "f2"), there, LAG), "both are identified"
    assert not rests_on_age(kept(looked=at(-70)), there, LAG), "both are news"


def test_a_known_note_that_does_not_show_yet_stays_known_for_as_long_as_a_list_may_lag() -> None:
    assert known_there(kept(TOKEN, "n1"), [], at(119), LAG) == {NUMBER}
    assert known_there(kept(TOKEN, "n1"), [], at(121), LAG) == frozenset()


def test_after_the_move_a_copy_made_before_it_is_recognised_by_words_and_time() -> None:
    late = note("f1", ANA, "look at db-3", 5)
    assert was_mirrored(late, [mirror()], JSM)
    assert not was_mirrored(late, [mirror(seconds=7)], JSM)
    assert not was_mirrored(late, [replace(mirror(), kind=Kind.ALERT_NOTE)], JSM)
    assert not was_mirrored(late, [mirror()], OPSGENIE), "without a move, ids tell notes apart"
    assert was_mirrored(late, [mirror(product="JSM")], OPSGENIE)


def test_such_a_note_is_an_echo_and_any_other_a_change() -> None:
    seen = observation(pair=pair(), alert_notes=(note("f1", ANA, "look at db-3"),), incident_notes=())
    moved = policy(product=JSM)
    (change,) = notes.of_alert(seen, moved)
    assert not isinstance(change, Echo)
    (echo,) = notes.of_alert(observation(pair=pair(), alert_notes=seen.alert_notes, mine=(mirror(),)), moved)
    assert isinstance(echo, Echo)


def test_the_mark_of_a_moved_alert_names_its_incidents_key_and_is_never_copied() -> None:
    mark = key_mark("PINC1", "a-1")
    assert mark == "[PagerDuty · reconciler · incident PINC1 key a-1]"
    assert is_key_mark(f" {mark}\n")
    assert not is_key_mark(f"{mark} and words")
    assert keys_in([note("1", ANA, "x"), note("2", ANA, mark), note("3", ANA, mark)]) == ("a-1",)
    for author, is_ours in ((Person("", text.signature("reconciler")), True), (ANA, False)):
        seen = observation(pair=pair(), alert_notes=(note("2", author, mark),), incident_notes=())
        for guard in ("author", "mark"):
            (found,) = notes.of_alert(seen, policy(guards=frozenset({guard})))
            assert isinstance(found, Echo) is is_ours
