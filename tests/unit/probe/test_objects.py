import pytest

from reconciler.errors import Misconfigured, NotExecuted, Unknown
from reconciler.probe.objects import PREFIX, Kind, Objects


def test_an_object_is_recorded_before_it_has_an_id_and_until_it_is_over() -> None:
    objects = Objects("abcd")
    one = objects.plan(Kind.ALERT)
    assert objects.left() == (one,)
    assert (one.id, one.title.startswith(f"{PREFIX} abcd ")) == ("", True)
    known = objects.created(one, "7", "https://there")
    assert objects.left() == (known,)
    assert (known.id, known.url) == ("7", "https://there")
    objects.over(known)
    assert objects.left() == ()


def test_titles_and_keys_are_unique() -> None:
    objects = Objects("abcd")
    made = [objects.plan(Kind.INCIDENT) for _ in range(3)]
    assert len({one.title for one in made}) == len({one.key for one in made}) == 3


@pytest.mark.parametrize(
    ("error", "left"), [(NotExecuted("429"), 0), (Misconfigured("401"), 0), (Unknown("no answer"), 1)]
)
def test_a_creation_that_was_certainly_not_carried_out_is_forgotten(error: Exception, left: int) -> None:
    objects = Objects("abcd")
    one = objects.plan(Kind.INCIDENT)
    with pytest.raises(type(error)), objects.unless_refused(one):
        raise error
    assert len(objects.left()) == left
