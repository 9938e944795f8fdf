"""Every code a problem can have, and what is behind it. The reference prints this table.

`PY` is about the file as YAML, `PM` about one value, `PR` about values that have to fit each other, `PX` about promises
that contradict each other, `PC` about what a law wants said, `PW` about wording, `PL` about waivers, `PV` about a
policy beside its earlier versions, `PK` about what stands behind the sentences (`crouter/proof`). A code is never
given to another problem later: people search for it.
"""

from crouter.policy.code import Code
from crouter.policy.contradiction_codes import CONTRADICTION_CODES
from crouter.policy.lint_codes import COMPLETENESS_CODES, WAIVER_CODES, WORDING_CODES

YAML_CODES = {
    "PY-01": Code("the file cannot be read", "It is missing, is a folder, or may not be opened."),
    "PY-02": Code("the file is too large", "A policy is read by people: 256 KiB is far more than one needs."),
    "PY-03": Code("not UTF-8", "The bytes of the file are not text in UTF-8. Nothing guesses another encoding."),
    "PY-04": Code(
        "byte order mark", "Some editors put an invisible mark in front of the text; some readers stumble on it."
    ),
    "PY-05": Code(
        "invisible character",
        "Control, formatting and direction characters make a reviewer see another text than the one that is used.",
    ),
    "PY-06": Code("tab as indentation", "YAML indents with spaces only."),
    "PY-07": Code("not YAML", "The text breaks YAML's own rules, so that what follows cannot be understood."),
    "PY-08": Code("empty file", "There is nothing in it but comments and space."),
    "PY-09": Code("second document", "One file holds one policy. What follows `---` or `...` would be ignored."),
    "PY-10": Code("directive", "`%YAML` and `%TAG` change how the rest is read."),
    "PY-11": Code("anchor", "With `&name` and `*name` a small file can describe millions of values."),
    "PY-12": Code("alias", "What stands elsewhere cannot be reviewed here: repeat the value."),
    "PY-13": Code("merge key", "`<<` brings in keys that the reader does not see, and only some YAML readers know it."),
    "PY-14": Code(
        "tag", "A tag such as `!!str` or `!custom` changes the type of a value or runs code in some readers."
    ),
    "PY-15": Code(
        "duplicate key", "Most readers silently take the last one; the first is then a promise nobody keeps."
    ),
    "PY-16": Code(
        "key that is no text", "A list, a mapping, a number, a date or a yes/no value stands where a name belongs."
    ),
    "PY-17": Code("no value", "An empty value, `null` and `~` say nothing. What is not wanted is left out."),
    "PY-18": Code(
        "value that readers understand differently",
        "`no`, `0123`, `1e3`, `12:30:45` and their like are a number, a time, true or text, depending on who reads.",
    ),
    "PY-19": Code("number too large", "A whole number has at most 15 digits, which every reader keeps exactly."),
    "PY-20": Code("no such day", "It has the form of a date, but the calendar has no such day."),
    "PY-21": Code("too deep", "Mappings and lists are nested more than 20 deep; the language needs less than ten."),
    "PY-22": Code("too many values", "The file holds more than 20,000 keys and values."),
}

MODEL_CODES = {
    "PM-01": Code(
        "unknown key", "A key that is not part of the language would be ignored, and look as if it were kept."
    ),
    "PM-02": Code("missing key", "The part is not complete without it; there is no silent default for it."),
    "PM-03": Code(
        "wrong type", "A number, a text, a date, true or false, a list and a mapping are not converted into each other."
    ),
    "PM-04": Code("not one of the choices", "The library can carry out the listed choices and no other."),
    "PM-05": Code("too long", "Names have to fit where they are used, sentences have to be read."),
    "PM-06": Code(
        "wrong form", "The value becomes a name, a host, a path or a period somewhere and does not look like one."
    ),
    "PM-07": Code("number out of range", "The number is smaller or larger than what makes sense."),
    "PM-08": Code("empty", "A list or mapping that needs at least one entry has none."),
    "PM-09": Code("named twice", "A list of names holds the same one again; usually another one was meant."),
}

REFERENCE_CODES = {
    "PR-01": Code("unknown purpose", "The name is not declared in `purposes`."),
    "PR-02": Code("unknown source", "The name is not declared in `sources`."),
    "PR-03": Code("unknown data", "The category or field is not declared in `data`."),
    "PR-04": Code("unknown processor", "The name is not declared in `processors`."),
    "PR-05": Code("unknown retention rule", "The name is not declared in `retention`, or the rule is of another kind."),
    "PR-06": Code(
        "unknown mechanism", "The library has no mechanism of that name, so nothing would enforce the sentence."
    ),
    "PR-07": Code("a sentence about nothing", "`about` leads to no part of this file."),
    "PR-08": Code("a sentence about the wrong part", "That kind of sentence cannot be composed from that part."),
}

TABLE_CODES = {
    "PR-10": Code("primary key", "Each category is a table, and a table has exactly one column with `key: true`."),
    "PR-11": Code(
        "column setting", "`to` belongs to references, `values` to `one_of`; neither does anything elsewhere."
    ),
    "PR-12": Code("no column for the owner", "Rows belong to their owner through a reference named after it."),
    "PR-13": Code("column declared twice", "`fields` and `technical` are columns of the same table."),
    "PR-14": Code("reserved name", "The name already means something to the database or to this language."),
    "PR-15": Code(
        "name too long", "PostgreSQL cuts names at 63 bytes, and constraints are named after table and column."
    ),
    "PR-16": Code("owners in a circle", "Rows are deleted with their owner; a circle of owners has no first one."),
    "PR-17": Code(
        "fold that cannot be done", "Folding sums the entries of one kind into an entry of another, for each owner."
    ),
    "PR-18": Code(
        "nothing fills the field", "A sign-in or a request tells only certain things; another field would stay empty."
    ),
    "PR-19": Code("field of another type", "What a sign-in or a request tells has a type of its own."),
}

RETENTION_CODES = {
    "PR-20": Code("no retention rule", "Each category says how long it is kept."),
    "PR-21": Code("not deleted with the account", "Data about a customer has to be part of a deletion rule."),
    "PR-22": Code(
        "deletion that cannot be in time",
        "Grace, the job's interval and its greatest lag add up to more than `within`.",
    ),
    "PR-23": Code(
        "period shorter than its job",
        "The job's interval and lag, and the width of a partition, would be longer than the period itself.",
    ),
    "PR-24": Code("no such timestamp", "A period begins with a column of type timestamp of the same table."),
    "PR-25": Code("exception that fits nothing", "An exception keeps some of what its own rule would delete."),
    "PR-26": Code("two retention rules", "A category has one period. Two would leave the shorter one unexplained."),
    "PR-27": Code("deletion out of reach", "A deletion follows ownership from the row whose event starts the clock."),
    "PR-28": Code(
        "partitions of no even width",
        "Partitions begin with the day, the month or the year, so their width divides one or is a number of days.",
    ),
    "PR-29": Code(
        "category that cannot be partitioned",
        "Every row of a partitioned table has a time, nothing refers to it, and only its key is unique.",
    ),
}

PARTY_CODES = {
    "PR-30": Code("upstream", "The upstream is where requests go: it receives content, and only passes it through."),
    "PR-31": Code("content for somebody else", "Only what stands in the way of a request may see what it says."),
    "PR-32": Code("analytics", "The processor of analytics is the one that receives `analytics`."),
    "PR-33": Code("host pattern too wide", "It would let data go to hosts that belong to anybody."),
    "PR-34": Code("host of two processors", "A connection could not be told to belong to one of them."),
    "PR-35": Code("route declared twice", "Two routes answer the same method and path, or a page stands in the way."),
    "PR-36": Code("limits that never bite", "A shorter period's limit is larger than a longer period's."),
    "PR-37": Code("route that cannot be metered", "What a request costs is known from the model that its body names."),
    "PR-38": Code(
        "nobody's and everybody's",
        "Behind one upstream key, what outlives its request can be read by every customer, unless a record says whose.",
    ),
    "PR-39": Code(
        "metric with the name of another kind",
        "The exposition ends the names of counters in `_total`: without it two could become one, and with it a gauge "
        "would be taken for a counter.",
    ),
}

WEB_CODES = {
    "PR-40": Code("no consent mode", "A cookie, a storage key or analytics is of a category without a mode."),
    "PR-41": Code(
        "essential, but not always", "What is essential does not wait for consent; what waits is not essential."
    ),
}

DOCUMENT_CODES = {
    "PR-50": Code("claim id used twice", "The id names one sentence in documents, tests and audit reports."),
    "PR-51": Code("title used twice", "Sections are told apart by their titles."),
    "PR-52": Code("not said", "What the service does stands in the document: this part has no sentence."),
}

VERSION_CODES = {
    "PV-01": Code(
        "version that is final", "People have read it. Under the same version they must find the same words for ever."
    ),
    "PV-02": Code("version before the last", "A version takes effect after the one that it replaces."),
    "PV-03": Code(
        "kept without a sentence",
        "What the policy told people before would go on, and the policy would tell nobody any more.",
    ),
}

WORDS_CODES = {
    "PR-70": Code("unknown placeholder", "`{…}` in a claim's own words stands for a value, and there is none there."),
    "PR-71": Code(
        "value typed out",
        "A value that is typed into a sentence stays behind when policy.yaml changes; a placeholder follows it.",
    ),
    "PR-72": Code("not said in a language", "A document that is published in a language says every claim in it."),
    "PR-73": Code(
        "words bound to nothing",
        "Own words name a value of the part that the claim is about; otherwise any part could say anything.",
    ),
    "PR-74": Code("language that is not published", "Words in a language that `policy.locales` lacks go nowhere."),
}

PROOF_CODES = {
    "PK-01": Code(
        "nothing stands behind it",
        "A promise, a negative, a deadline and a right are kept by a mechanism, or by a person who is named.",
    ),
    "PK-02": Code("no test", "A mechanism that no test has shown to keep this kind of sentence is a hope."),
    "PK-03": Code(
        "declared, but not said",
        "Each table, column, log field, label, cookie, key, header, host, job and event leads to a sentence.",
    ),
    "PK-04": Code("not declared", "Generated code declares what policy.yaml declares, and nothing beside it."),
    "PK-05": Code(
        "mechanism without a sentence", "What the library enforces anyway may as well be said.", severity="warning"
    ),
    "PK-06": Code("review overdue", "What a person keeps is looked at by the day that was promised."),
    "PK-07": Code(
        "stale vendor statement",
        "What a processor says of itself is relied on for a declared time only.",
        severity="warning",
    ),
    "PK-08": Code("proof of nothing", "A test is marked with a claim that the document does not have."),
}

LIBRARY_CODES = {
    "PR-60": Code("needed by the library", "The library's own statements name this column, category or log."),
    "PR-61": Code(
        "not as the library uses it", "The library writes or reads the column, and what is declared would stop it."
    ),
    "PR-62": Code(
        "nothing fills the column", "A row of the library's that may not be without it could never be written."
    ),
    "PR-63": Code(
        "entries of the books that end",
        "The database lets nobody take one side of an entry away, so a job that tries fails for ever.",
    ),
}

MAIL_CODES = {
    "PR-80": Code(
        "mail without sentences", "What a mail says is part of the library, and so are the values that stand in it."
    ),
    "PR-81": Code("mail that is missing", "A feature that cannot send what it has to tell would stop in the middle."),
    "PR-82": Code(
        "mail for another purpose",
        "A mail goes out for a declared purpose for which the address may be read. Marketing is none of them.",
    ),
    "PR-83": Code("mail about its reader", "What a sign-in tells is not needed to tell its owner something."),
    "PR-84": Code("mail without an outbox", "A mail waits in a declared place and goes to a declared address."),
}

CODES = {
    **YAML_CODES,
    **MODEL_CODES,
    **REFERENCE_CODES,
    **TABLE_CODES,
    **RETENTION_CODES,
    **PARTY_CODES,
    **WEB_CODES,
    **DOCUMENT_CODES,
    **VERSION_CODES,
    **WORDS_CODES,
    **PROOF_CODES,
    **CONTRADICTION_CODES,
    **COMPLETENESS_CODES,
    **WORDING_CODES,
    **WAIVER_CODES,
    **LIBRARY_CODES,
    **MAIL_CODES,
}
