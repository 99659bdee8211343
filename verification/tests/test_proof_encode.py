"""Writing photos and scans afresh: what is kept, what is dropped, what is refused, and what it takes."""

import json
import subprocess
import sys
import time
from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from verification import proof_encode
from verification.tests import papers


class Written:
    def __init__(self, folder, data: bytes):
        (folder / "in").write_bytes(data)
        command = [
            sys.executable,
            "-I",
            proof_encode.__file__,
            *(str(folder / name) for name in ("in", "out", "small")),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
        self.returncode, self.folder = done.returncode, folder
        self.found = json.loads(done.stdout) if done.returncode == 0 else None
        self.code = json.loads(done.stderr.splitlines()[-1])[0] if done.returncode == proof_encode.REFUSED else None
        self.complaint = done.stderr

    @property
    def out(self) -> bytes:
        return (self.folder / "out").read_bytes()

    def image(self, name: str = "out") -> Image.Image:
        return Image.open(BytesIO((self.folder / name).read_bytes()))


@pytest.fixture
def write(tmp_path):
    return lambda data: Written(tmp_path, data)


class TestPhotos:
    def test_a_phones_photo_is_turned_upright_shrunk_and_says_nothing_but_itself(self, write):
        written = write(papers.phone_photo())
        assert written.found == {"kind": "image", "width": 1500, "height": 2000, "pages": 1}
        image = written.image()
        assert (image.format, image.size) == ("JPEG", (1500, 2000))
        assert not image.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)
        assert image.getpixel((1490, 10))[1] < 60  # the red corner went from top left to top right
        assert image.getpixel((10, 10))[1] > 200
        small = written.image("small")
        assert (max(small.size), small.format) == (320, "JPEG")

    @pytest.mark.parametrize(
        ("kind", "mode", "options"),
        [
            ("JPEG", "L", {}),
            ("JPEG", "CMYK", {}),
            ("JPEG", "RGB", {"progressive": True}),
            ("PNG", "RGB", {}),
            ("PNG", "RGBA", {}),
            ("PNG", "1", {}),
            ("PNG", "P", {}),
            ("PNG", "L", {}),
            ("PNG", "LA", {}),
            ("PNG", "I;16", {}),
            ("WEBP", "RGB", {}),
            ("WEBP", "RGBA", {}),
        ],
    )
    def test_every_kind_becomes_a_jpeg(self, write, kind, mode, options):
        for size in ((300, 200), (2400, 1600)):
            written = write(papers.photo(kind, size, mode=mode, **options))
            assert written.found, written.complaint
            assert written.image().format == "JPEG"
            assert max(written.image().size) == min(2000, size[0])

    def test_what_is_seen_through_lies_on_white(self, write):
        image = write(papers.photo("PNG", (40, 40), mode="LA")).image()
        assert image.getpixel((20, 20)) == (255, 255, 255)

    def test_a_line_of_one_point_stays(self, write):
        assert write(papers.photo("PNG", (9000, 1))).found["height"] == 1

    def test_what_hides_behind_a_photo_is_gone(self, write):
        written = write(papers.photo(size=(80, 60)) + b"<script>alert(1)</script>PK\x03\x04" + papers.armed_scan())
        assert written.found["kind"] == "image"
        assert b"script" not in written.out
        assert b"%PDF" not in written.out

    def test_small_letters_stay_legible(self, write):
        """Letters of 2 mm on an A4 page photographed at 12 million points: as dark and as apart as before."""
        from PIL import ImageDraw

        page = Image.new("L", (3000, 4000), 255)
        for line in range(60):
            ImageDraw.Draw(page).text((200, 200 + 60 * line), "Nguyễn Văn Ẩn 12/03/1956 ỖẶ", fill=0, font_size=32)
        file = BytesIO()
        page.save(file, "JPEG", quality=95)
        after = write(file.getvalue()).image().convert("L")
        before = page.resize(after.size, Image.Resampling.LANCZOS)
        difference = sum(abs(a - b) for a, b in zip(before.tobytes(), after.tobytes(), strict=True)) / len(
            before.tobytes()
        )
        assert difference < 2


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "empty"),
            (b"x", "other_kind"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "other_kind"),
            (b"<!doctype html><script>alert(1)</script>", "other_kind"),
            (b"MZ\x90\x00", "other_kind"),
            (b"PK\x03\x04", "other_kind"),
            (b"GIF89a" + bytes(100), "other_kind"),
            (b"<script>alert(1)</script>%PDF-1.4", "other_kind"),
            (b"\xff\xd8\xff", "damaged_image"),
            (b"\xff\xd8\xff<html>", "damaged_image"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "damaged_image"),
            (b"\x00\x00\x00\x18ftypheic" + bytes(200), "damaged_image"),
            (b"%PDF-1.7\n", "damaged_pdf"),
        ],
    )
    def test_what_is_no_photo(self, write, data, code):
        assert write(data).code == code

    def test_a_photo_cut_off(self, write):
        for kind in ("JPEG", "PNG", "WEBP"):
            data = papers.photo(kind, (1200, 900))
            assert write(data[: len(data) // 2]).code == "damaged_image", kind

    def test_a_bomb_is_refused_before_it_is_decoded(self, write):
        bomb = papers.png_bomb()
        assert len(bomb) < 2**20
        started = time.monotonic()
        assert write(bomb).code == "too_many_pixels"
        assert time.monotonic() - started < 3

    @pytest.mark.parametrize("kind", ["WEBP", "PNG"])
    def test_moving_pictures(self, write, kind):
        assert write(papers.moving(kind)).code == "animation"

    def test_locked_pdfs(self, write):
        locked = papers.scan(encryption=pikepdf.Encryption(owner="o", user="secret"))
        assert write(locked).code == "pdf_password"
        open_to_all = papers.scan(encryption=pikepdf.Encryption(owner="o", user=""))
        assert write(open_to_all).code == "pdf_password"

    def test_pages(self, write):
        assert write(papers.scan(5)).found["pages"] == 5
        assert write(papers.scan(6)).code == "pdf_pages"
        pdf = pikepdf.new()
        for _ in range(500):
            pdf.add_blank_page()
        assert write(papers.saved(pdf)).code == "pdf_pages"
        assert write(papers.saved(pikepdf.new())).code == "damaged_pdf"

    def test_a_pdf_cut_off(self, write):
        data = papers.scan()
        for length in (300, len(data) - 10):
            assert write(data[:length]).code == "damaged_pdf"

    def test_a_pdf_that_unpacks_to_more_than_scans_do(self, write):
        assert write(papers.pdf_bomb()).code == "pdf_bomb"


class TestScans:
    def test_nothing_that_acts_and_nothing_about_its_maker(self, write):
        written = write(papers.armed_scan())
        assert written.found == {"kind": "pdf", "width": 595, "height": 842, "pages": 1}
        pdf = pikepdf.open(BytesIO(written.out))
        plain = papers.saved(pdf, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False,
                             stream_decode_level=pikepdf.StreamDecodeLevel.generalized)  # fmt: skip
        for trace in (b"SCRIPT-RAN", b"JavaScript", b"THE-PROGRAM", b"virus", b"evil.example", b"FORM-FIELD",
                      b"FORM-XFA", b"MAKER", b"EmbeddedFile", b"AcroForm", b"/AA", b"OpenAction"):  # fmt: skip
            assert trace not in plain, trace
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}

    def test_the_page_still_shows_its_picture_without_the_cameras_notes(self, write):
        pdf = pikepdf.open(BytesIO(write(papers.scan()).out))
        image = papers.image_of(pdf.pages[0])
        picture = Image.open(BytesIO(image.read_raw_bytes()))
        picture.load()
        assert picture.size == (400, 300)
        assert not picture.getexif()
        assert "comment" not in picture.info
        assert b"Do" in pdf.pages[0].Contents.read_bytes()

    def test_a_stamp_stays_on_the_page(self, write):
        pdf = pikepdf.open(BytesIO(papers.scan()))
        stamp = pdf.make_stream(b"1 0 0 rg 0 0 100 100 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form,
                                BBox=[0, 0, 100, 100])  # fmt: skip
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[50, 50, 150, 150], F=4,
            AP=pikepdf.Dictionary(N=stamp),
        )  # fmt: skip
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(note)])
        flat = pikepdf.open(BytesIO(write(papers.saved(pdf)).out))
        page = flat.pages[0]
        assert "/Annots" not in page.obj
        assert len(page.Resources.XObject) == 2

    def test_the_first_page_need_not_name_its_size(self, write):
        pdf = pikepdf.open(BytesIO(papers.scan()))
        pdf.Root.Pages.MediaBox = pikepdf.Array([0, 0, 300, 400])
        del pdf.pages[0].obj.MediaBox
        assert write(papers.saved(pdf)).found["width"] == 300


def test_fifty_million_points_take_little_memory_and_time(tmp_path):
    (tmp_path / "in").write_bytes(papers.phone_photo((8192, 6144)))
    # asked by a small process: a child inherits the peak of whoever starts it
    ask = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    ask += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    files = [str(tmp_path / name) for name in ("in", "out", "small")]
    command = [sys.executable, "-I", "-c", ask, sys.executable, "-I", proof_encode.__file__, *files]
    started = time.monotonic()
    peak = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert time.monotonic() - started < 15
    assert peak < 160 * 1024


def test_an_iphones_photo(write):
    """Made by libheif's own encoder is what phones send; here its container with nothing in it, and a name for it."""
    assert proof_encode.kind_of(b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1") == "HEIF"
    assert proof_encode.kind_of(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00heic") == "HEIF"
