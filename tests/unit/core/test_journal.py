from reconciler.core.journal import Event


def test_every_event_has_a_word_of_its_own() -> None:
    assert len({event.value for event in Event}) == len(Event)
