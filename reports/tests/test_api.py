"""Units and their figures over REST."""

from django.urls import reverse

from reports import rollups


def test_units_are_addressed_by_their_level(client, round, cast, tree):
    rollups.roll_up()
    client.force_login(cast.pc06)
    names = {
        level: [unit["full_name"] for unit in client.get(reverse(f"api:{level}_list")).json()["results"]]
        for level in ("province", "district", "commune", "hamlet")
    }
    assert names["province"] == ["Tỉnh Hà Tĩnh"]
    assert names["district"] == ["Huyện Hương Khê", "Thị xã Kỳ Anh"]
    assert names["commune"] == ["Xã Hương Trà", "Xã Phú Gia", "Phường Hưng Trí"]
    assert len(names["hamlet"]) == 4
    figures = client.get(reverse("api:unit_detail", args=[tree.province.pk])).json()["figures"]
    assert (figures["plan"], figures["verified"]) == (14, 0)
