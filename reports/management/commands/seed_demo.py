from django.core.management.base import BaseCommand, CommandError

from reports.demo.figures import SMALLEST_SHARE
from reports.demo.seed import NotSeeded, is_seeded, seed
from reports.demo.units import DEMO_ACCOUNTS, PASSWORD


class Command(BaseCommand):
    help = "Load a made-up province to try the program on: true units and sums, synthetic people. Training mode only."

    def add_arguments(self, parser):
        size = parser.add_mutually_exclusive_group()
        size.add_argument(
            "--share", type=float, default=0.05, help="share of the province's 1.478.997 forms (default 0.05)"
        )
        size.add_argument("--full", action="store_const", const=1.0, dest="share", help="the whole province")
        parser.add_argument(
            "--random-seed", type=int, default=2020, help="another number gives other people (default 2020)"
        )

    def handle(self, *, share: float, random_seed: int, **options):
        if not SMALLEST_SHARE <= share <= 1:
            raise CommandError(f"--share lies between {SMALLEST_SHARE} and 1.")
        if is_seeded():
            self.stdout.write("The demo data is there already; nothing was done.")
            return
        try:
            province = seed(share=share, random_seed=random_seed)
        except NotSeeded as refusal:
            raise CommandError(str(refusal)) from None
        for line in _summary(province):
            self.stdout.write(line)


def _summary(province) -> list[str]:
    return [
        f"Dân số (dữ liệu mẫu): {_number(province.population)}",
        f"Đã thu thập: {_rate(province.collected, province.population)}",
        f"Đạt yêu cầu, đã quét: {_rate(province.qualified, province.collected)}",
        f"Đã phúc tra: {_rate(province.verified, province.plan)}",
        f"Tài khoản mẫu, mật khẩu {PASSWORD}:",
        *(f"  {account.username:<15} {account.full_name}" for account in DEMO_ACCOUNTS),
    ]


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def _rate(part: int, whole: int) -> str:
    percent = f"{100 * part / whole:.2f}".replace(".", ",")
    return f"{_number(part)}/{_number(whole)} = {percent}%"
