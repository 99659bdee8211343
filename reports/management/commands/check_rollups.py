import sys

from django.core.management.base import BaseCommand

from reports.proof import differences
from reports.rollups import roll_up
from verification.models import Round


class Command(BaseCommand):
    help = "Recount everything from the facts and compare every stored figure. Exits 1 on a difference."

    def add_arguments(self, parser):
        parser.add_argument("--roll-up-first", action="store_true", help="take waiting marks before comparing")

    def handle(self, *args, **options):
        if options["roll_up_first"]:
            roll_up()
        rounds = list(Round.objects.exclude(status=Round.Status.PLANNED))
        for round in rounds:
            found = next(differences(round), None)
            if found:
                self.stderr.write(f"{round}: {found}")
                sys.exit(1)
        self.stdout.write(f"{len(rounds)} round(s): every stored figure equals the recount")
