"""Files come in on few pages and for who may send them there. All others are refused before a byte of them is read."""

from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from households.imports.files import MAX_BYTES
from households.permissions import import_areas_of, scope_of
from reports.deliveries import answers
from reports.permissions import delivery_areas_of
from verification import proofs

IMPORT_PAGE = "verification:import_create"
TEMPLATE_PAGE = "reports:template_list"
ANSWERS_PAGE = "reports:delivery_answers"
PROOF_PAGES = {"verification:household_proof", "verification:correction_proof", "verification:pass_proof"}
REST_OF_THE_FORM = 1024 * 1024
REST_OF_A_PROOF = 64 * 1024


class UploadTooBig(RequestDataTooBig):
    """More than an import takes."""


class ProofTooBig(RequestDataTooBig):
    """More than a photo or scan of a paper takes."""


class TemplateTooBig(RequestDataTooBig):
    """More than a Word template takes."""


class AnswersTooBig(RequestDataTooBig):
    """More than a receiver's answers to a delivery take."""


class FileInOurFolder(TemporaryUploadedFile):
    """Rather than in everybody's: it may be as large as the disk of /tmp, and it names people."""

    def __init__(self, folder: Path, name, content_type, charset, content_type_extra):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = NamedTemporaryFile(prefix="upload-", dir=folder)  # noqa: SIM115 - the request closes it
        UploadedFile.__init__(self, file, name, content_type, 0, charset, content_type_extra)


class KnownPagesUploadHandler(TemporaryFileUploadHandler):
    """Uploads stream to the disk as they arrive, on the pages that expect one."""

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        page = getattr(getattr(self.request, "resolver_match", None), "view_name", "")
        self.folder = Path(settings.IMPORT_DIR)
        if page == IMPORT_PAGE and import_areas_of(self.request.user):
            if content_length > MAX_BYTES + REST_OF_THE_FORM:
                raise UploadTooBig("larger than any import")
        elif page in PROOF_PAGES and scope_of(self.request.user).can_record:
            self.folder = proofs.folder(proofs.TEMPORARY)
            if content_length > proofs.MAX_BYTES + REST_OF_A_PROOF:
                raise ProofTooBig("larger than any proof")
        elif page == ANSWERS_PAGE and delivery_areas_of(self.request.user):
            if content_length > answers.BYTES_AT_MOST + REST_OF_THE_FORM:
                raise AnswersTooBig("larger than any answers")
        elif page == TEMPLATE_PAGE and content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TemplateTooBig("larger than any template")
        elif content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("no file is expected here")

    def new_file(self, *args, **kwargs):
        FileUploadHandler.new_file(self, *args, **kwargs)
        kept = (self.file_name, self.content_type, self.charset, self.content_type_extra)
        self.file = FileInOurFolder(self.folder, *kept)
