from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from census_verify.tests.stack import Stack, wait_until

HOUSEHOLDS = 20  # in the commune of a test; one that saves more of them says so: @pytest.mark.households(60)


@pytest.fixture(scope="session")
def running_stack(request):
    tests = [item for item in request.session.items if "stack" in getattr(item, "fixturenames", ())]
    marks = [test.get_closest_marker("households") for test in tests]
    with TemporaryDirectory(prefix="census_verify-stack-") as folder:
        households = [mark.args[0] if mark else HOUSEHOLDS for mark in marks]
        stack = Stack(Path(folder), [*households, 1])  # and a district of nobody's, so that there is always another
        stack.district_of = {test.nodeid: number for number, test in enumerate(tests)}
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


@pytest.fixture
def stack(running_stack, request):
    """The running program in a district of the test's own, whole and at rest: what a test before it killed runs
    again, what that recorded is counted."""
    running_stack.enter(running_stack.district_of[request.node.nodeid])
    wait_until(lambda: not running_stack.marks(), seconds=60)
    yield running_stack
    for child in (
        running_stack.postgres,
        running_stack.valkey,
        running_stack.web,
        running_stack.worker,
        running_stack.beat,
    ):
        if not child.is_running():
            child.start()
    running_stack.second_worker.stop()
