"""A stopping process waits for the writes in flight and admits no further one."""

import threading

import pytest

from reconciler.reconcile.in_flight import InFlight


def test_draining_waits_for_writes_in_flight_and_admits_no_further_one() -> None:
    in_flight, drained = InFlight(), threading.Event()

    def drain() -> None:
        in_flight.drain()
        drained.set()

    with in_flight.admit() as first, in_flight.admit() as second:
        assert first
        assert second
        thread = threading.Thread(target=drain)
        thread.start()
        while not in_flight._barred:
            assert not drained.is_set()
        with in_flight.admit() as late:
            assert not late
        assert not drained.is_set()
    thread.join(10)
    assert drained.is_set()


def test_a_failed_write_is_no_longer_in_flight() -> None:
    in_flight = InFlight()
    with pytest.raises(ZeroDivisionError), in_flight.admit():
        raise ZeroDivisionError
    in_flight.drain()
