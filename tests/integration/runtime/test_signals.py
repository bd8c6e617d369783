"""A signal never deadlocks the process, however many arrive and whenever."""

import signal
import subprocess
import sys

CHILD = """
import sys, threading
from reconciler.runtime.signals import StopSignals

stop = threading.Event()
signals = StopSignals()
print("ready", flush=True)
signals.wait(lambda: None)
stop.set()
print("stopped", flush=True)
sys.stdin.read()
"""


def test_two_hundred_signals_in_a_row_stop_the_process_in_time() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        for _ in range(200):
            child.send_signal(number)
        rest, _ = child.communicate(timeout=10)
        assert (rest, child.returncode) == ("stopped\n", 0)


def test_the_wait_beats_about_once_a_second_and_ends_with_the_signal() -> None:
    code = CHILD.replace("lambda: None", "lambda: print('turn', flush=True)")
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert [child.stdout.readline() for _ in range(3)] == ["ready\n", "turn\n", "turn\n"]
    child.terminate()
    rest, _ = child.communicate(timeout=10)
    assert (rest.splitlines()[-1], child.returncode) == ("stopped", 0)
