"""Files come in on one page and for few people. Everybody else's are refused before a byte of them is read."""

from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from households.imports.files import MAX_BYTES
from households.permissions import import_areas_of

UPLOAD_PAGE = "verification:import_create"
REST_OF_THE_FORM = 1024 * 1024


class UploadTooBig(RequestDataTooBig):
    """More than an import takes."""


class FileOfImports(TemporaryUploadedFile):
    """In our own folder rather than everybody's: it may be as large as the disk of /tmp, and it names people."""

    def __init__(self, name, content_type, charset, content_type_extra):
        folder = Path(settings.IMPORT_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = NamedTemporaryFile(prefix="upload-", dir=folder)  # noqa: SIM115 - the request closes it
        UploadedFile.__init__(self, file, name, content_type, 0, charset, content_type_extra)


class ImportUploadHandler(TemporaryFileUploadHandler):
    """Uploads stream to the disk as they arrive."""

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        if not self._is_expected() and content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("no file is expected here")
        if content_length > MAX_BYTES + REST_OF_THE_FORM:
            raise UploadTooBig("larger than any import")

    def new_file(self, *args, **kwargs):
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = FileOfImports(self.file_name, self.content_type, self.charset, self.content_type_extra)

    def _is_expected(self) -> bool:
        page = getattr(self.request, "resolver_match", None)
        return page is not None and page.view_name == UPLOAD_PAGE and bool(import_areas_of(self.request.user))
