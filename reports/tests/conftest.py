import email
import email.policy
import socket
from datetime import date, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from reports import rollups
from reports.tests.official import BEFORE, DAY
from verification.tests.factories import record


@pytest.fixture
def live_on(settings):
    """The program lives on another day from here on."""

    def live(day: date) -> None:
        settings.CENSUS_VERIFY_TODAY = day
        rollups.roll_up()

    return live


@pytest.fixture
def history(homes, cast, tree, settings, request, live_on):
    """Two days of results that are over, some of them late, one officer and one team member at work."""
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)
    round = request.getfixturevalue("round")
    live_on(BEFORE)
    record(homes.four, cast.officer, verified_on=BEFORE)
    live_on(BEFORE + timedelta(days=1))
    record(homes.two, cast.officer, "deceased", event_on=date(2019, 1, 2), paper="archive")
    record(homes.three, cast.officer, verified_on=BEFORE)
    record(homes.phu_gia, cast.member)
    live_on(DAY)
    return round


class Box(Sink):
    """An SMTP server that keeps what it is given; `refuses` as many of the next ones."""

    def __init__(self):
        super().__init__()
        self.mails, self.refuses = [], 0

    async def handle_DATA(self, server, session, envelope):
        if self.refuses:
            self.refuses -= 1
            return "451 try later"
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def box(settings):
    """The server that the program's e-mails go to."""
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.SENDS_MAIL, settings.CENSUS_VERIFY_ADDRESS = True, "https://phuctra.example"
    yield box
    server.stop()
