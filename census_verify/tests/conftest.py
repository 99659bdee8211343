from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from census_verify.tests.stack import Stack, wait_until


@pytest.fixture(scope="session")
def running_stack():
    with TemporaryDirectory(prefix="census_verify-stack-") as folder:
        stack = Stack(Path(folder))
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


@pytest.fixture
def stack(running_stack):
    """The running program, whole and at rest: what a test before it killed runs again, what it recorded is counted."""
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
