import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from households.models import AdministrativeUnit, User
from verification import rounds
from verification.models import Round
from verification.rules import Refusal


class Command(BaseCommand):
    help = "Open a planned round: freeze the plan of every commune and put the qualified forms into its scope."

    def add_arguments(self, parser):
        parser.add_argument("round", type=int, help="id of the round, as in /admin/")
        parser.add_argument("population", type=Path, help="CSV with the columns code, population: a line a commune")
        parser.add_argument("--by", required=True, help="username of the PC06 officer or administrator who opens it")

    def handle(self, *args, **options):
        round = self._one(Round.objects.filter(pk=options["round"]), f"There is no round {options['round']}.")
        officer = self._one(User.objects.filter(username=options["by"]), f"There is no officer {options['by']}.")
        try:
            rounds.open_round(round=round, populations=self._populations(options["population"], round), by=officer)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from None
        self.stdout.write(f"{round}: {round.plans.count()} communes, {round.round_forms.count()} forms in scope")

    def _one(self, found, sentence: str):
        if (one := found.first()) is None:
            raise CommandError(sentence)
        return one

    def _populations(self, path: Path, round: Round) -> dict[int, int]:
        """Registered population by commune id; says the line that cannot be read."""
        communes = AdministrativeUnit.objects.under(round.area).valid_on(round.starts_on).filter(level=3)
        ids = dict(communes.values_list("code", "pk"))
        populations = {}
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for number, row in enumerate(csv.DictReader(file), start=2):
                    code, population = row.get("code", ""), row.get("population", "")
                    if code not in ids or not (population or "").isdecimal():
                        raise CommandError(
                            f"{path}, line {number}: “{code}, {population}” is no commune with a number."
                        )
                    populations[ids[code]] = int(population)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from None
        return populations
