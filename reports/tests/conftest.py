from datetime import date

import pytest

from reports import rollups


@pytest.fixture
def live_on(settings):
    """The program lives on another day from here on."""

    def live(day: date) -> None:
        settings.CENSUS_VERIFY_TODAY = day
        rollups.roll_up()

    return live
