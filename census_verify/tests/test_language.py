import pytest
from django.urls import reverse


@pytest.mark.parametrize(
    ("cookie", "browser", "expected"),
    [("", "en-US,en", "vi"), ("en", "vi", "en"), ("vi", "en", "vi"), ("xx", "en", "vi"), ("", "", "vi")],
)
def test_vietnamese_unless_chosen_otherwise(client, db, cookie, browser, expected):
    client.cookies["django_language"] = cookie
    body = client.get(reverse("login"), headers={"accept-language": browser}).content.decode()
    assert f'<html lang="{expected}"' in body


def test_choosing_a_language_comes_back_to_the_page_and_to_no_other_host(client, db):
    answer = client.post(reverse("set_language"), {"language": "en", "next": "/teams/?sort=-rate"})
    assert answer.url == "/teams/?sort=-rate"
    assert answer.cookies["django_language"].value == "en"
    assert client.post(reverse("set_language"), {"language": "en", "next": "https://example.com/"}).url == "/"
