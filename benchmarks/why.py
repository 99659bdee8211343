"""What stands in the way of each must or aim that is missed: (job, line) -> sentences. Filled by whoever measured last."""

KEPT_PAGE = (
    "A page kept since the last roll-up still costs six short statements, the frame of the page (60 template tags) and its compression; "
    "the limit is a line of text behind two statements."
)
WHY: dict[tuple[str, str], str] = {
    ("pages", "province page: requests/s"): KEPT_PAGE,
    ("pages", "district page: requests/s"): KEPT_PAGE,
    ("pages", "commune page: requests/s"): (
        "Since the commune's page is its home, all of it but the burn-up is live, so an officer sees her own save at once: nine statements and some "
        "11 ms of processor, kept or not. Tried: tables and tabs in Python instead of templates, prepared statements, one statement for all counts, "
        "and a page kept for ten minutes, which the home by its nature is not."
    ),
    ("search", "in a commune, one officer: p95"): (
        "The whole page of results against a line of text. Tried and kept: the lines by one statement planned once a connection instead of the "
        "ORM's five joins; lines put together in Python instead of by twenty template tags each; names of units by a table. Together they took "
        "the panel from 21 to 10 ms and this ratio from 9,4 to what it is now. What is left: the search 2 ms, a quarter of it planning; "
        "the frame of the page 4 ms; twenty lines 3 ms; who asks 1,4 ms."
    ),
    ("search", "the same as the panel under the field, while typing: p95"): (
        "As above, without the frame and with eight lines. Most names asked for do not occur in the commune, so name, hamlet and address are all "
        "tried: three statements and the list of hamlets, against a line of text behind two."
    ),
    ("entry", "save of a single person: saves/s"): (
        "Seven statements and a commit against the bare view's five: the household's place, the round, the lock, the writing and the next household "
        "beside session and officer. The rest is Django's forms and thirteen middlewares. Joining place, round and lock in one "
        "statement would spare two ways to the database, and tie the page to the service."
    ),
    ("entry", "the same against the database alone"): "As above; the bare Django view itself stands at 0,08 of pgbench here.",
    ("entry", "p95 of a save at 16 officers"): "As above; in one round in five connections were spread unevenly over the two web processes.",
    ("database_entry", "32 officers in one district"): (
        "The roll-up counts the district's communes while they are written, on the same two cores."
    ),
    ("country", "200 saves of one person a second: p95"): (
        "Two cores that also carry the database and the load generator save 170 single persons a second, so a queue builds up. Tried: all of a "
        "save's writing in one statement, statements planned once a connection, no question for the connection's health. As officers work, by "
        "household, the same 200 entries a second take 50 saves, with a p95 of 18 ms."
    ),
    ("country", "200 saves of one person a second: entries/s that came through"): "As above.",
    ("imports", "CSV of 1.478.997 rows and 25 columns: rows/s"): (
        "Python reads and judges a row in some 70 µs of this machine's processor. Tried and kept: two processes that read in turns; rules spared that "
        "cannot hit; three calls a row instead of a loop over cells; what is suspected stored without joining the forms; the rules of the register "
        "asked once of an empty register (42 to 13 s). A run of 305 s became one of 246 (108 reading, 24 comparing, 111 loading, of which 29 indexes, "
        "18 moving rows from staging, 12 foreign keys), then of 187 with a file that has every item the rules look at. Since then (181 s, one "
        "round): what the rules say of a form's words remembered by them, three of seven rules for an "
        "ordinary household, a name's keys from two parts, as many birth dates remembered as there are (24,0 to 19,9 s of processor time for reading, "
        "two runs each); statistics of six staged columns instead of fifty (comparing 2,8 to 1,8 s); the runs of the file counted once instead of "
        "by check and load (not measured by itself). Without effect: the garbage collector off or frozen."
    ),
    ("imports", "CSV: largest memory of the process"): "Two readers, 120 and 105 MB.",
    ("imports", "XLSX: largest memory of the process"): (
        "Two readers, as for CSV: 225 MB. The process that loads the sheets has ended by then; beside the importing one it takes as much at four sheets "
        "of 50.000 rows."
    ),
    ("imports", "the same"): (
        "As above. This limit has four B-trees over text and no other index; the register's table itself, with its words and three-letter groups to "
        "search by, takes COPY twice as long."
    ),
    ("imports", "XLSX: rows/s"): (
        "The limit only loads the sheets (6 to 7 s for 200.000 rows); the import does that too, after unpacking and looking through the archive (2 s) and "
        "before it judges each row and loads it. Tried and kept: the sheets written out as text once, instead of being unpacked and loaded by each of "
        "two looks and the check; both readers on that text; letters of before Unicode looked for by distinct words (a look 1,9 to some 0,6 s). Processor "
        "time 59 to 47 s, memory 349 to 225 MB. What is left: writing out 11 to 13 s, on one core; reading 18 s on two; the database 11 to 14 s, "
        "on one. Even shared evenly by two cores that is some 23 s, and 0,35 would be 20. Not done: two loading processes at once (a sheet each in memory, "
        "more than 300 MB) and sheets cut into pieces for the library (it would read the strings that Excel's workbooks share anew for each)."
    ),
    ("growth", "province page: 15 million over 1,5 million forms"): (
        "Nothing: its statements read as many blocks at either size (some 40 of a kept page, 240 of one made anew). Where this line is above 1,2, look "
        "first at what else the machine does."
    ),
    ("growth", "search over a province: 15 million over 1,5 million forms"): (
        "The province is a condition beside the words, and PostgreSQL reads its list of a million rows with theirs (12 ms more for a frequent "
        "name); partitions by province need not ask, and take half the time. It grows with the province, not with the country."
    ),
    ("exports", "CSV: rows/s"): "Labels, masks and the walking order are made by PostgreSQL: decision 0015 has the parts.",
    ("exports", "XLSX: rows/s"): "Rows into Python values and dictionaries take half of what the writer does: decision 0015.",
    ("exports", "The register in the layout of DC01, CSV: rows/s"): (
        "Fifty-six cells a row, thirty-eight of them looked at for what a spreadsheet takes for a formula; four tables joined, and the order "
        "of the walk. Nothing was tried yet to make it quicker: a register leaves the program once in a while."
    ),
    ("exports", "XLSX: largest memory of the process"): "Django and the program are 75 MB of it; the writer keeps what repeats.",
}  # fmt: skip
