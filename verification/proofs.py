"""Photos and scans of the papers: taken in, written afresh, kept outside the web root, linked to what they prove.

The file is whole on the disk before its row is written. What breaks off in between leaves a file without a row, and
what is uploaded and never recorded a row without a purpose; `clear_waiting` takes both away after a day
(docs/decisions/0023-proofs.md).
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import CollectionForm, User
from verification import permissions, proof_encode
from verification.models import Correction, Proof, Round, RoundForm, VerificationPass
from verification.rules import Conflict, Entry, InvalidEntry, NotAllowed, TooBusy
from verification.terms import Approval, Outcome

MAX_BYTES = 10 * 2**20
PROOFS_A_PAPER = 3  # front, back, and the one that was blurred
WAITING_AN_OFFICER = 40
KEEP_WAITING = timedelta(days=1)
# As many are written afresh at once on one machine, whatever the number of its web processes: each is one core and
# up to half a gigabyte.
AT_ONCE = 2
TURN_SECONDS = 5
ENCODE_SECONDS = 30
TEMPORARY = "incoming"

SENTENCES = {
    "animation": _("This is a moving picture. Take a photo of the paper."),
    "damaged_image": _("The photo is damaged or cut off. Take it again, or send it again."),
    "damaged_pdf": _("The PDF is damaged. Scan the paper again, or take a photo of it."),
    "empty": _("The file is empty. Choose it again."),
    "other_kind": _("This is neither a photo (JPEG, PNG, WebP, HEIC) nor a PDF, whatever its name says."),
    "pdf_bomb": _("The PDF unpacks to far more than a few scanned pages. Scan the paper again."),
    "pdf_pages": _("The PDF has %(pages)d pages; a proof has at most %(limit)d. Send the pages that matter."),
    "pdf_password": _("The PDF is locked with a password. Save it without one, or take a photo of the paper."),
    "too_big_to_read": _("The picture takes more memory than there is for one. Take a smaller photo."),
    "too_many_pixels": _(
        "The picture has %(width)d × %(height)d points, more than %(limit)d million. Take a smaller photo."
    ),
}


def too_large() -> str:
    return say("The file is larger than %(limit)d MB. Take a smaller photo, or scan fewer pages.") % {
        "limit": MAX_BYTES // 2**20
    }


# Taking in


def receive(*, form: CollectionForm, source: BinaryIO, by: User) -> Proof:
    """Take in a photo or scan that waits for its correction or removal to be recorded."""
    require_may_upload(form, by)
    if Proof.objects.waiting().filter(uploaded_by=by, uploaded_at__gt=clock.now() - KEEP_WAITING).count() >= (
        WAITING_AN_OFFICER
    ):
        raise Conflict(
            say("%(number)d of your photos wait for their corrections. Record those first.")
            % {"number": WAITING_AN_OFFICER}
        )
    proof = _written(form, source, by)
    proof.save(force_insert=True)
    return proof


def attach(*, to: Correction | VerificationPass, source: BinaryIO, by: User) -> Proof:
    """Take in the photo or scan of what is recorded already, while it stands and nobody has decided on it."""
    verification_pass = to.verification_pass if isinstance(to, Correction) else to
    require_attachable(to, by)
    proof = _written(verification_pass.form, source, by)
    with transaction.atomic():
        # the row that undoing, deciding and a later result lock as well
        RoundForm.objects.select_for_update().get(round=verification_pass.round_id, form=verification_pass.form_id)
        to = type(to).objects.get(pk=to.pk)
        require_attachable(to, by)
        if isinstance(to, Correction):
            proof.correction = to
        else:
            proof.verification_pass = to
        proof.save(force_insert=True)
    return proof


def require_may_upload(form: CollectionForm, by: User) -> None:
    if not permissions.can_record_in(by, form.commune_id):
        raise NotAllowed(say("Results are recorded by the commune's officers and the team that works there."))
    round = Round.objects.current()
    if round is None or round.status != Round.Status.OPEN:
        raise Conflict(say("No round is open: nothing is recorded, so nothing can be attached."))


def require_attachable(to: Correction | VerificationPass, by: User) -> None:
    """Own, standing, not decided, and with room for one more."""
    verification_pass = to.verification_pass if isinstance(to, Correction) else to
    if verification_pass.officer_id != by.pk:
        raise NotAllowed(say("A photo is attached by the officer who recorded the result."))
    require_may_upload(verification_pass.form, by)
    if not isinstance(to, Correction) and to.outcome not in (Outcome.DECEASED, Outcome.EMIGRATED):
        raise Conflict(say("This result asks for no paper."))
    row = RoundForm.objects.get(round=verification_pass.round_id, form=verification_pass.form_id)
    if row.standing_pass_id != verification_pass.pk:
        raise Conflict(say("This result stands no more; a photo belongs to the one that took its place."))
    if row.approval not in ("", Approval.PENDING):
        raise Conflict(say("The district has decided on this result; nothing is attached to it any more."))
    if to.proofs.count() >= PROOFS_A_PAPER:
        raise Conflict(say("It has %(limit)d photos already.") % {"limit": PROOFS_A_PAPER})


def _written(form: CollectionForm, source: BinaryIO, by: User) -> Proof:
    """The row of a file that is whole on the disk; not saved yet."""
    with _folder_for_one() as own:
        arrived, out, small = own / "in", own / "out", own / "small"
        _save_at_most(source, arrived)
        found = _encode(arrived, out, small)
        proof = Proof(
            id=uuid4(),
            form=form,
            province_id=form.province_id,
            commune_id=form.commune_id,
            uploaded_by=by,
            uploaded_at=clock.now(),
            bytes=out.stat().st_size,
            sha256=hashlib.sha256(out.read_bytes()).hexdigest(),
            **found,
        )
        for written, is_small in ((small, True), (out, False)):
            if written.exists():
                _keep(written, path_of(proof, small=is_small))
    return proof


def _save_at_most(source: BinaryIO, path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        while piece := source.read(2**16):
            size += len(piece)
            if size > MAX_BYTES:
                refused = InvalidEntry(too_large(), field="proof")
                refused.status = 413
                raise refused
            file.write(piece)


def _encode(arrived: Path, out: Path, small: Path) -> dict:
    """What the child found and wrote. Its refusal, its death and its time-out are each a sentence."""
    command = [sys.executable, "-I", proof_encode.__file__, str(arrived), str(out), str(small)]
    with _turn():
        try:
            done = subprocess.run(command, capture_output=True, timeout=ENCODE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise InvalidEntry(str(SENTENCES["too_big_to_read"]), field="proof") from None
    if done.returncode == 0:
        return json.loads(done.stdout)
    code, values = "too_big_to_read", {}
    if done.returncode == proof_encode.REFUSED:
        code, values = json.loads(done.stderr.splitlines()[-1])
    raise InvalidEntry(str(SENTENCES[code]) % values, field="proof")


@contextmanager
def _turn() -> Iterator[None]:
    """One of the machine's few places. The lock goes with the process that holds it, however it ends."""
    until = time.monotonic() + TURN_SECONDS
    places = [os.open(folder() / f"turn-{number}", os.O_CREAT | os.O_RDWR, 0o600) for number in range(AT_ONCE)]
    try:
        while not any(map(_is_taken_by_us, places)):
            if time.monotonic() > until:
                raise TooBusy(say("Many photos arrive just now. Try again in a moment."))
            time.sleep(0.05)
        yield
    finally:
        for place in places:
            os.close(place)


def _is_taken_by_us(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# Files


def path_of(proof: Proof, *, small: bool = False) -> Path:
    """Where the file lies, fanned out over 256 folders; `small`: a photo's picture for lists."""
    ending = ".small.jpg" if small else {Proof.Kind.IMAGE: ".jpg", Proof.Kind.PDF: ".pdf"}[proof.kind]
    return Path(settings.PROOF_DIR) / proof.pk.hex[:2] / f"{proof.pk}{ending}"


def folder(name: str = "") -> Path:
    """The folder of proofs, or one in it: nobody else's to look into."""
    root = Path(settings.PROOF_DIR)
    for made in (root, root / name):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root / name


@contextmanager
def _folder_for_one() -> Iterator[Path]:
    with TemporaryDirectory(dir=folder(TEMPORARY)) as made:
        yield Path(made)


def _keep(written: Path, path: Path) -> None:
    """Into its place, whole or not at all, and for good: the row comes after."""
    folder(path.parent.name)
    written.chmod(0o600)
    _sync(written)
    written.rename(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# Linking, in the transaction that records


def given(entries: Iterable[Entry]) -> dict[tuple[int, str], UUID]:
    """The proofs of a submission by form and item; the item of a removal's paper is ""."""
    entries = list(entries)
    found = {(entry.form_id, ""): entry.proof for entry in entries if entry.proof}
    return found | {(e.form_id, c.field): c.proof for e in entries for c in e.corrections if c.proof}


def require_usable(wanted: Mapping[tuple[int, str], UUID], by: User) -> None:
    """Each is there, the officer's own, of this form, and of nothing else. Locks them."""
    rows = Proof.objects.select_for_update().filter(pk__in=set(wanted.values())).order_by("pk").in_bulk()
    used: set[UUID] = set()
    for (form_id, item), key in wanted.items():
        field, proof = ("proof" if item else "paper_proof"), rows.get(key)
        if proof is None or proof.uploaded_by_id != by.pk or proof.form_id != form_id:
            raise InvalidEntry(
                say("The photo or scan is not there any more. Attach it once more."), form_id=form_id, field=field
            )
        if key in used or proof.correction_id or proof.verification_pass_id:
            raise InvalidEntry(
                say("This photo belongs to another correction already. Attach it here as well."),
                form_id=form_id,
                field=field,
            )
        used.add(key)


def link(
    wanted: Mapping[tuple[int, str], UUID],
    passes: Iterable[VerificationPass],
    corrections: Iterable[tuple[int, Correction]],
) -> None:
    """Each to what was just recorded."""
    of_form = {p.form_id: p for p in passes}
    of_item = {(form_id, correction.field): correction for form_id, correction in corrections}
    for (form_id, item), key in wanted.items():
        target = {"correction": of_item[form_id, item]} if item else {"verification_pass": of_form[form_id]}
        Proof.objects.waiting().filter(pk=key).update(**target)


# Clearing


def clear_waiting() -> int:
    """Take away what was uploaded and not recorded within a day: rows with their files, and files without a row."""
    old = Proof.objects.waiting().filter(uploaded_at__lt=clock.now() - KEEP_WAITING)
    with transaction.atomic():
        # whoever records one of them just now holds its row, and keeps it
        gone = list(old.select_for_update(skip_locked=True))
        Proof.objects.filter(pk__in=[proof.pk for proof in gone]).delete()
    for proof in gone:
        path_of(proof).unlink(missing_ok=True)
        path_of(proof, small=True).unlink(missing_ok=True)
    return len(gone) + _clear_files_without_row()


def _clear_files_without_row() -> int:
    too_old, cleared = time.time() - KEEP_WAITING.total_seconds(), 0
    for place in [place for place in folder().iterdir() if place.is_dir()]:
        old = [path for path in place.rglob("*") if _changed_at(path) < too_old]
        if place.name != TEMPORARY:
            keys = {path: key for path in old if (key := _key_of(path))}
            known = set(Proof.objects.filter(pk__in=set(keys.values())).values_list("pk", flat=True))
            old = [path for path, key in keys.items() if key not in known]
        for path in sorted(old, reverse=True):  # what lies in a folder before the folder
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        cleared += len(old)
    return cleared


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _key_of(path: Path) -> UUID | None:
    """The proof a file is named by; None for whatever else somebody has put there, which stays."""
    try:
        return UUID(path.name.split(".")[0])
    except ValueError:
        return None
