"""Texts of chip cards for tests. Nobody's: names say "Thử", and day of issue is a day on which no card was issued yet."""

from datetime import date

ISSUED = "01012019"


def card_text(
    number: str = "042080000123",
    cmnd: str = "183000001",
    name: str = "Nguyễn Văn Thử",
    born: str = "17051980",
    sex: str = "Nam",
    residence: str = "Thôn Đông, Hương Trà, Hương Khê, Hà Tĩnh",
    issued: str = ISSUED,
) -> str:
    return "|".join((number, cmnd, name, born, sex, residence, issued))


ISSUED_ON = date(2019, 1, 1)
