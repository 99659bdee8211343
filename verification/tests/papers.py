"""Files as phones, scanners and worse send them. Nothing in them is a real paper."""

import struct
import zlib
from io import BytesIO

import pikepdf
from PIL import Image, ImageDraw


def photo(kind: str = "JPEG", size: tuple[int, int] = (600, 400), *, mode: str = "RGB", **options) -> bytes:
    image = Image.new(mode, size, 255 if mode in ("L", "1", "I;16") else "white")
    if mode in ("RGB", "L", "RGBA"):
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, 0, size[0] // 4, size[1] // 4), fill=0 if mode == "L" else "red")
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def phone_photo(size: tuple[int, int] = (4000, 3000)) -> bytes:
    """Lying on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "Điện thoại", "ghi chú"
    exif.get_ifd(0x8825).update({1: "N", 2: (18.0, 20.0, 35.0), 3: "E", 4: (105.0, 54.0, 20.0)})
    return photo(size=size, exif=exif, comment=b"a remark")


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """900 million points in a megabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    file = BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def scan(pages: int = 1, **options) -> bytes:
    """A scanned PDF: each page a JPEG as the scanner's phone wrote it."""
    pdf = pikepdf.new()
    for _ in range(pages):
        page = pdf.add_blank_page(page_size=(595, 842))
        image = pdf.make_stream(phone_photo((400, 300)))
        image.update(
            pikepdf.Dictionary(
                Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=400, Height=300,
                ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
            )
        )  # fmt: skip
        name = page.add_resource(image, pikepdf.Name.XObject)
        page.Contents = pdf.make_stream(f"q 595 0 0 842 0 0 cm {name} Do Q".encode())
    return saved(pdf, **options)


def saved(pdf: pikepdf.Pdf, **options) -> bytes:
    file = BytesIO()
    pdf.save(file, **options)
    return file.getvalue()


def image_of(page: pikepdf.Page) -> pikepdf.Object:
    return next(image for _name, image in page.Resources.XObject.items())


def armed_scan() -> bytes:
    """A scan that runs a script when opened, carries a program, asks to be filled in, and names its maker."""
    pdf = pikepdf.open(BytesIO(scan()))
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('SCRIPT-RAN')"))
    pdf.Root.OpenAction = pdf.make_indirect(script)
    pdf.Root.AA = pikepdf.Dictionary(WC=script)
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(["x", script])))
    pdf.attachments["virus.exe"] = b"MZ-THE-PROGRAM"
    page = pdf.pages[0]
    page.obj.AA = pikepdf.Dictionary(O=script)
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 500, 500],
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("http://evil.example/")),
    )  # fmt: skip
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T=pikepdf.String("FORM-FIELD"),
        Rect=[10, 10, 100, 30], V=pikepdf.String("x"), AA=pikepdf.Dictionary(K=script),
    )  # fmt: skip
    page.obj.Annots = pikepdf.Array([pdf.make_indirect(link), pdf.make_indirect(field)])
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([page.obj.Annots[1]]), XFA=pikepdf.String("FORM-XFA"))
    pdf.docinfo["/Author"] = "MAKER-OF-THE-SCAN"
    image_of(page).Metadata = pdf.make_stream(b"<x>MAKER-METADATA</x>", Type=pikepdf.Name.Metadata)
    return saved(pdf)


def pdf_bomb() -> bytes:
    """A page whose drawing unpacks to 250 MB."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    page.Contents = pdf.make_stream(b"")
    page.obj.Contents.write(zlib.compress(bytes(250 * 2**20), 1), filter=pikepdf.Name.FlateDecode)
    return saved(pdf)
