"""`python -m verification.second_reader IMPORT BLOCK TODAY`: the second of the two processes that read a long file."""

import ctypes
import json
import os
import signal
import sys
from datetime import date

import django

PR_SET_PDEATHSIG = 1


def main(import_id: int, block_rows: int, today: date) -> None:
    from households.imports import files, second_reader, stages
    from households.models import Import
    from verification import imports

    job = Import.objects.select_related("area").get(pk=import_id)
    kind = imports.KINDS[job.kind]
    out = sys.stdout.buffer
    problems = stages.Problems(job, kind.fields)
    rows = kind.rows(job, today, problems.tell)
    read = files.read_rows(stages.file_path(job), files.Layout.from_json(job.layout), files.Progress())
    for piece in stages.staged_lines(rows, second_reader.turn_of(rows, read, 1, block_rows, job.columns)):
        second_reader.send(out, second_reader.LINES, piece)
        out.flush()
    rows.end_run()
    for what, file in (
        (second_reader.SUSPECTED, rows.suspected),
        (second_reader.RUNS, rows.runs),
        (second_reader.PROBLEMS, problems.file),
    ):
        second_reader.send_file(out, what, file)
    hamlets = [(commune, key, row, name) for (commune, key), (row, name) in rows.new_hamlets.items()]
    second_reader.send(out, second_reader.HAMLETS, json.dumps(hamlets).encode())
    out.flush()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(5)  # officers' pages come first
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3]))
