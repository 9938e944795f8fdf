"""The codes of contradictions: two parts of a policy that cannot both be true. All but a few are errors."""

from crouter.policy.code import Code

_POLICYLINT = "Andow et al., PolicyLint, USENIX Security 2019"
_POLICHECK = "Andow et al., Actions Speak Louder than Words (PoliCheck), USENIX Security 2020"
_FAIR = "GDPR Article 5(1)(a)"
_LIMITED = "GDPR Article 5(1)(b)"
_STORED = "GDPR Article 5(1)(e)"
_TOLD = "GDPR Article 13(1)(e)"

CONTRADICTION_CODES = {
    "PX-01": Code("kept, and never kept", "What `never` forbids to keep is a field or a column.", _POLICYLINT),
    "PX-02": Code(
        "part of what is never kept",
        "A column holds a narrower kind of what `never` forbids: a city is part of a location.",
        _POLICYLINT,
    ),
    "PX-03": Code(
        "derivable from what is kept",
        "A column holds something from which the forbidden data can be worked out: a place from an IP address.",
        f"{_POLICYLINT}; GDPR Recital 30",
    ),
    "PX-04": Code(
        "forbidden data reaches a sink",
        "A log field, a metric label, a cookie, a storage key, an analytics event, a purpose or a processor's task "
        "is about what `never` forbids.",
        _POLICHECK,
    ),
    "PX-05": Code(
        "forbidden data can be derived at a sink",
        "What a sink or a processor receives gives the forbidden data away. Whoever takes a connection sees an IP "
        "address: analytics have to name it in `never_sends`.",
        f"{_POLICHECK}; GDPR Recital 30",
    ),
    "PX-06": Code(
        "a header gives it away",
        "A header that tells the forbidden data is forwarded, because `drops_request_headers` does not have it.",
        _POLICHECK,
    ),
    "PX-07": Code("shared, and never shared", "A processor receives what `never` forbids to share.", _POLICYLINT),
    "PX-08": Code(
        "sold or used for marketing, and never",
        "A processor, a cookie or a storage key serves marketing, advertising or a sale that `never` or the document "
        "rules out.",
        f"{_POLICYLINT}; CCPA § 1798.140(ad), (ah)",
    ),
    "PX-09": Code(
        "the receiver keeps it, and it is not kept",
        "A processor is said not to keep what it receives, or to store it, and its own period says the opposite.",
        _STORED,
    ),
    "PX-10": Code(
        "how long the receiver keeps it is not said",
        "The document says that something only passes through to others, and one of these does not state a period. "
        "Our own promise holds; a reader takes it for more.",
        f"{_FAIR}, 13(2)(a)",
        "warning",
    ),
    "PX-11": Code(
        "two durations for one thing",
        "Two rules, or a rule and a period typed into a text, give different durations for the same data.",
        _STORED,
    ),
    "PX-12": Code(
        "kept longer than its owner",
        "Rows are deleted with the row that owns them, so a longer period cannot be kept.",
        _STORED,
    ),
    "PX-13": Code(
        "exception without a law",
        "An exception from deletion names the law that requires it; general words are none.",
        "GDPR Article 17(3)(b)",
    ),
    "PX-14": Code(
        "exception in words",
        "A promise is taken back in its own words. An exception needs a law and a period, in `exceptions`.",
        "GDPR Article 12(1)",
    ),
    "PX-15": Code(
        "backups outlive the period",
        "Job interval, greatest lag, partition width and the age of backups together exceed the promised period.",
        _STORED,
    ),
    "PX-16": Code(
        "received for a purpose of another kind",
        "A processor receives data for a kind of purpose that the data is not used for.",
        _LIMITED,
    ),
    "PX-17": Code(
        "received for a purpose that the data does not have",
        "The document says what data is used for, and a processor receives it for something else of the same kind.",
        _LIMITED,
        "warning",
    ),
    "PX-18": Code(
        "a purpose that nothing received has",
        "A processor is declared for a purpose, and none of what it receives serves it.",
        _LIMITED,
    ),
    "PX-19": Code("host of another party", "A processor has a host that belongs to somebody else, or to us.", _TOLD),
    "PX-20": Code("a party that is not listed", "A text names a company that is no processor of the policy.", _TOLD),
    "PX-21": Code(
        "an identity provider that is not listed",
        "People sign in through a company that learns of it. It is a source and gets nothing from us, so this is a "
        "warning: declare it, or waive it with a reason.",
        f"{_TOLD}, 14(2)(f)",
        "warning",
    ),
    "PX-22": Code(
        "a name that may be a party",
        "A text seems to name a company that is no processor of the policy.",
        _TOLD,
        "warning",
    ),
    "PX-23": Code(
        "mail through a party that is not listed",
        "E-mail goes through our own mail server, or through a processor that receives the address.",
        _TOLD,
    ),
    "PX-24": Code(
        "infrastructure that is not generated",
        "A text or a claim speaks of something that the policy does not declare, so that nothing generates it.",
        "GDPR Article 32",
    ),
    "PX-25": Code(
        "essential storage that is not essential",
        "A cookie or a storage key is called essential and serves something that people may refuse.",
        "Directive 2002/58/EC Article 5(3)",
    ),
    "PX-26": Code(
        "essential only, and more",
        "A text says that nothing but the essential is stored in the browser, or nothing at all, and more is declared.",
        "Directive 2002/58/EC Article 5(3)",
    ),
    "PX-27": Code(
        "consent claimed, and not waited for",
        "Consent is the legal basis, or a text says so, and the mode does not wait for it.",
        "GDPR Article 6(1)(a), 7; CJEU C-673/17 (Planet49)",
    ),
    "PX-28": Code(
        "security that is not configured",
        "A text claims an encryption, a version or a form of transport that `security` does not have.",
        "GDPR Article 32",
    ),
    "PX-29": Code(
        "a secret in the clear",
        "The document says that keys are stored encrypted, and a field for credentials is no `sealed` one.",
        "GDPR Article 32(1)(a)",
    ),
    "PX-30": Code(
        "an absolute negative without a promise",
        "A text says that something is never done, and no entry of `never` forbids it, so nothing keeps it.",
        _POLICYLINT,
    ),
    "PX-31": Code(
        "a header of another edge may give it away",
        "Clients may have an edge of their own in front, whose headers tell the forbidden data and are forwarded.",
        _POLICHECK,
        "warning",
    ),
    "PX-32": Code(
        "our own cookies are forwarded",
        "Browsers send our cookies with every request to us. Unless `drops_request_headers` takes them out, they leave "
        "for the upstream, a session among them.",
        _TOLD,
    ),
    "PX-33": Code(
        "a log or a metric names people",
        "A log field or a metric label holds what tells one person from another: an account, a key, an address. Logs "
        "and metrics are kept and copied apart from the data that the document speaks of.",
        "GDPR Article 5(1)(c), 13(1)",
    ),
    "PX-34": Code(
        "stored by nobody who is named",
        "One processor stores most of the data, and some of it is said to be nowhere. A database holds every table.",
        _TOLD,
        "warning",
    ),
}
