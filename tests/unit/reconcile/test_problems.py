"""A problem lasts until the place where it was met works again."""

from reconciler.core.model import Side
from reconciler.errors import Transient
from reconciler.reconcile.problems import Problem, Problems

FIRST, SECOND = (Problem(side, Transient("away")) for side in Side)


def test_a_place_has_the_problems_it_met_last() -> None:
    problems = Problems()
    problems.put("feed", [FIRST])
    problems.put("feed", [SECOND])
    assert problems.all() == (SECOND,)
    problems.put("feed")
    assert problems.all() == ()


def test_places_keep_their_order_and_do_not_touch_each_other() -> None:
    problems = Problems()
    problems.put("feed", [FIRST])
    problems.put("sweep", [SECOND, SECOND])
    problems.put("feed", [FIRST, FIRST])
    assert problems.all() == (FIRST, FIRST, SECOND, SECOND)
    problems.put("nowhere")
    assert len(problems.all()) == 4


def test_a_process_that_no_longer_leads_knows_of_no_problem() -> None:
    problems = Problems()
    problems.put("feed", [FIRST])
    problems.clear()
    assert problems.all() == ()
