import sys

from django.core.management.base import BaseCommand

from reports.proof import MarksWait, differences, first_difference
from verification.models import Round


class Command(BaseCommand):
    help = (
        "Recount everything from the facts and compare every stored figure. Exits 1 and names the first "
        "difference; exits 2 when marks wait, so that nothing could be compared."
    )

    def add_arguments(self, parser):
        parser.add_argument("--roll-up-first", action="store_true", help="take waiting marks before comparing")

    def handle(self, *args, **options):
        rounds = list(Round.objects.exclude(status=Round.Status.PLANNED))
        for round in rounds:
            try:
                found = first_difference(round) if options["roll_up_first"] else next(differences(round), None)
            except MarksWait as waiting:
                self.stderr.write(f"{round}: {waiting}")
                sys.exit(2)
            if found:
                self.stderr.write(f"{round}: {found}")
                sys.exit(1)
        self.stdout.write(f"{len(rounds)} round(s): every stored figure equals the recount")
