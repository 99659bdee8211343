"""Writes a photo or scan of a paper afresh, in a process of its own: `python proof_encode.py IN OUT SMALL`.

What comes in is anybody's bytes. A picture of a few kilobytes can ask for gigabytes, and a damaged one can end the
process that decodes it; so this file is run as a script, imports nothing of the project, bounds its own memory and
time, and its end is no harm. Nothing of the file is kept but the picture itself: no metadata (a phone writes where the
photo was taken), no script, no attachment, nothing behind the end of the file. It prints one JSON line of what was
written; a refusal is a code of `proofs.SENTENCES` and its values, as JSON, on the error output.
"""

import json
import resource
import sys
import zlib

# In millions. A JPEG is decoded at a half or a quarter; the others have to be held whole, WebP several times over.
MEGAPIXELS = {"JPEG": 64, "PNG": 40, "HEIF": 26, "WEBP": 24}
SIDE = 2_000  # A4 at 170 dots an inch: small print of a certificate stays legible
SMALL_SIDE = 320
QUALITY, SMALL_QUALITY = 80, 60
MAX_PAGES = 5
INFLATED_BYTES = 200 * 2**20
PDF_PIXELS = MAX_PAGES * 64_000_000
# above what the process has at its beginning: the largest of each kind takes 120 to 370 MB
MEMORY_BYTES = 448 * 2**20
SECONDS = 20
OUT_BYTES = 16 * 2**20
REFUSED = 3

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}
PAGE_KEYS = {"/Type", "/Parent", "/Contents", "/Resources", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit"}
# Pages reach drawings only; what these keys of a drawing name lies outside the file or tells about its maker.
STREAM_KEYS = ("/F", "/FFilter", "/FDecodeParms", "/Metadata", "/OPI", "/PieceInfo", "/Ref", "/AF", "/StructParents")
ACTIONS = {"/JavaScript", "/Launch", "/URI", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie"}


class Refused(Exception):
    def __init__(self, code: str, **values):
        self.code, self.values = code, values
        super().__init__(code)


def kind_of(start: bytes) -> str:
    """What the file is by its first bytes, whatever its name says."""
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        return "HEIF"
    if start.startswith(b"%PDF-"):
        return "PDF"
    raise Refused("other_kind" if start else "empty")


def main(path: str, out: str, small: str) -> dict:
    with open(path, "rb") as file:
        kind = kind_of(file.read(32))
    return write_pdf(path, out) if kind == "PDF" else write_image(path, kind, out, small)


def write_image(path: str, kind: str, out: str, small: str) -> dict:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # our own limit, below, has a sentence
    if kind == "HEIF":
        import pi_heif

        pi_heif.register_heif_opener(thumbnails=False)
    try:
        with Image.open(path, formats=[kind]) as image:
            width, height = image.size
            if width * height > MEGAPIXELS[kind] * 1_000_000:
                raise Refused("too_many_pixels", width=width, height=height, limit=MEGAPIXELS[kind])
            if kind in ("WEBP", "PNG") and getattr(image, "n_frames", 1) > 1:
                raise Refused("animation")
            image.draft("RGB" if image.mode != "L" else "L", (SIDE, SIDE))  # a JPEG decodes at a half or a quarter
            orientation = image.getexif().get(0x0112, 1)
            image.load()
            picture = _plain(_smaller(image))
        if orientation != 1:
            exif = Image.Exif()
            exif[0x0112] = orientation
            picture.info["exif"] = exif.tobytes()
            ImageOps.exif_transpose(picture, in_place=True)
    except (Refused, MemoryError):
        raise
    except Exception:  # decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error and their own
        raise Refused("damaged_image") from None
    # into an image that never had anything beside its pixels
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    size = clean.size
    clean.thumbnail((SMALL_SIDE, SMALL_SIDE))
    clean.save(small, "JPEG", quality=SMALL_QUALITY, optimize=True)
    return {"kind": "image", "width": size[0], "height": size[1], "pages": 1}


def _smaller(image):
    """At most SIDE long, halved in whole steps first: memory follows the result, not the original."""
    from PIL import Image

    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("I;16", "I;16B"):  # a scanner's 16 bits of grey: the upper eight
        raw = image.tobytes("raw", image.mode)
        image = Image.frombytes("L", image.size, raw[1 if image.mode == "I;16" else 0 :: 2])
    elif image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    factor = max(image.size) // (2 * SIDE)
    if factor > 1:
        image = image.reduce(factor)
    if max(image.size) > SIDE:
        scale = SIDE / max(image.size)
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    return image


def _plain(image):
    """Grey or colour, on white paper."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image if image.mode == "L" else image.convert("RGB")


def write_pdf(path: str, out: str) -> dict:
    """The pages as they look, and nothing else of the file."""
    import pikepdf

    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 2048))
        if b"%%EOF" not in file.read():  # cut off: what qpdf could still make of it has holes
            raise Refused("damaged_pdf")
    try:
        with pikepdf.open(path, inherit_page_attributes=True) as pdf:
            if pdf.is_encrypted:
                raise Refused("pdf_password")
            if not pdf.pages:
                raise Refused("damaged_pdf")
            if len(pdf.pages) > MAX_PAGES:
                raise Refused("pdf_pages", pages=len(pdf.pages), limit=MAX_PAGES)
            # stamps and filled fields are drawn by annotations: they become part of the page
            pdf.generate_appearance_streams()
            pdf.flatten_annotations("screen")
            clean = pikepdf.new()
            for page in pdf.pages:
                for key in set(page.obj.keys()) - PAGE_KEYS:
                    del page.obj[key]
                clean.pages.append(page)
            _strip(clean)
            pages = len(clean.pages)
            clean.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
        with pikepdf.open(out) as written:
            box = [float(side) for side in written.pages[0].mediabox]
    except pikepdf.PasswordError:
        raise Refused("pdf_password") from None
    except (Refused, MemoryError):
        raise
    except Exception:  # qpdf's own, and what odd objects make of Python's
        raise Refused("damaged_pdf") from None
    size = [min(32_000, max(1, round(abs(far - near)))) for near, far in (box[0::2], box[1::2])]
    return {"kind": "pdf", "width": size[0], "height": size[1], "pages": pages}


def _strip(pdf) -> None:
    """No key that acts, no stream that unpacks to more than we take, no camera's notes inside a picture."""
    import pikepdf

    inflated = pixels = 0
    for found in pdf.objects:
        for item in _dictionaries(found):
            if item.get("/S") in ACTIONS or item.get("/Type") in ("/Filespec", "/Action", "/Metadata"):
                for key in [key for key in item.keys() if key != "/Length"]:  # noqa: SIM118 - no Python dictionary
                    del item[key]
        if not isinstance(found, pikepdf.Stream):
            continue
        for key in STREAM_KEYS:
            if key in found:
                del found[key]
        filters = found.get("/Filter", [])
        filters = [str(f) for f in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
        if filters[:1] == ["/FlateDecode"]:
            inflated += _inflated(found.read_raw_bytes(), INFLATED_BYTES - inflated)
        if found.get("/Subtype") == "/Image":
            pixels += int(found.get("/Width", 0)) * int(found.get("/Height", 0))
        if inflated >= INFLATED_BYTES or pixels > PDF_PIXELS:
            raise Refused("pdf_bomb")
        if filters == ["/DCTDecode"]:
            found.write(_without_notes(found.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)


def _dictionaries(found, depth: int = 0):
    """The dictionaries of one object, those inside it too; what it points to has its own turn."""
    import pikepdf

    if depth > 60:
        raise Refused("damaged_pdf")
    if isinstance(found, pikepdf.Stream | pikepdf.Dictionary):
        yield found
        inside = [value for _key, value in found.items()]
    elif isinstance(found, pikepdf.Array):
        inside = list(found)
    else:
        return
    for value in inside:
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            yield from _dictionaries(value, depth + 1)


def _inflated(packed: bytes, at_most: int) -> int:
    """How long the stream is unpacked, looked at in pieces; damaged ones are the viewer's to make out."""
    inflater, size = zlib.decompressobj(), 0
    try:
        while packed and not inflater.eof and size < at_most:
            size += len(inflater.decompress(packed, 2**20))
            packed = inflater.unconsumed_tail
    except zlib.error:
        pass
    return size


def _without_notes(jpeg: bytes) -> bytes:
    """A JPEG without its APP segments and comments, but for Adobe's, which says how colours are to be read."""
    kept, at = [jpeg[:2]], 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        marker, end = jpeg[at + 1], at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker not in (0xFE, *range(0xE1, 0xEE), 0xEF):
            kept.append(jpeg[at:end])
        at = end
    return b"".join([*kept, jpeg[at:]])


if __name__ == "__main__":
    with open("/proc/self/statm") as statm:
        limit = int(statm.read().split()[0]) * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUT_BYTES, OUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        print(json.dumps(main(*sys.argv[1:4])))
    except Refused as refused:
        print(json.dumps([refused.code, refused.values]), file=sys.stderr)
        sys.exit(REFUSED)
    except MemoryError:
        print(json.dumps(["too_big_to_read", {}]), file=sys.stderr)
        sys.exit(REFUSED)
