from django.core.management.base import BaseCommand

from households.unit_import import import_units


class Command(BaseCommand):
    help = "Load the units of Hà Tĩnh of 2018 and 2020 and their changes. Does nothing where they are there."

    def handle(self, **options):
        counts = import_units()
        self.stdout.write(
            f"{counts.units} units ({counts.new_units} new), {counts.changes} changes ({counts.new_changes} new)"
        )
