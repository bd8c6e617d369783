"""The comparison with another product in numbers and words."""

from reconciler.core.matching import AlertIndex, match_all
from reconciler.core.shadow import VERDICTS, Comparison, compared
from tests.support.builders import alert, at, pair


def test_every_verdict_is_counted_and_alerts_that_no_pair_matches() -> None:
    pairs = [pair(), pair(alert_id="a-2", title="Other"), pair(alert_id="a-3", alias="x", title="Third")]
    there = [alert(acknowledged=True), alert(id="new-3", alias="x"), alert(id="new-9", message="Nobody's")]
    found = compared(match_all(pairs, AlertIndex(there)), at(9))
    assert tuple(found.counts) == VERDICTS
    assert found.at == at(9)
    assert found.words == "1 rekeyed, 1 differs, 1 missing, 1 unknown"


def test_nothing_open_on_either_side_is_said_so() -> None:
    assert Comparison(at(1), {}).words == "nothing is open"
