"""The two pieces that other pages include."""

from uuid import uuid4

from django.template.loader import render_to_string

from census_verify import clock
from verification.forms import CorrectionForm
from verification.models import Proof
from verification.templatetags.proofs import size


def proof(**fields) -> Proof:
    return Proof(
        **{"uploaded_at": clock.now(), "kind": "image", "bytes": 340_000, "width": 1500, "height": 2000} | fields
    )


def test_a_recorded_proof():
    photo, scan = proof(), proof(kind="pdf", pages=3, bytes=1_240_000)
    body = render_to_string("components/proof.html", {"proof": photo})
    assert f'href="/proofs/{photo.pk}/"' in body
    assert f'src="/proofs/{photo.pk}/small/"' in body
    assert 'width="72" height="96"' in body
    assert "340 kB" in body
    body = render_to_string("components/proof.html", {"proof": scan})
    assert "3 trang" in body
    assert "1,2 MB" in body
    assert "<img" not in body


def test_sizes():
    assert [size(n) for n in (1, 999, 1_500, 999_000, 10_485_760)] == ["1 kB", "1 kB", "2 kB", "999 kB", "10,5 MB"]


class TestField:
    def rendered(self, key: str = "") -> str:
        line = CorrectionForm({"p7-c0-proof": key}, prefix="p7-c0")
        return render_to_string(
            "verification/_proof_field.html", {"field": line["proof"], "form_id": 7, "household_id": 9}
        )

    def test_empty(self):
        body = self.rendered()
        assert 'name="p7-c0-proof" value=""' in body
        assert 'data-to="/households/9/proofs/"' in body
        assert 'type="file" name' not in body

    def test_what_was_sent_before_a_refusal_is_still_attached(self):
        key = uuid4()
        assert f'href="/proofs/{key}/"' in self.rendered(str(key))

    def test_what_is_no_key_breaks_nothing(self):
        assert "<script>" not in self.rendered('"><script>')
