"""The codes of completeness, wording and waivers. What a law wants said depends on the profiles chosen."""

from crouter.policy.code import Code, Profile

_EUROPE: tuple[Profile, ...] = ("gdpr", "uk")
_CALIFORNIA: tuple[Profile, ...] = ("ccpa",)
_ALL: tuple[Profile, ...] = ("gdpr", "uk", "ccpa")


def _unsaid(title: str, explanation: str, source: str, profiles: tuple[Profile, ...] = _EUROPE) -> Code:
    return Code(title, explanation, source, "warning", profiles)


COMPLETENESS_CODES = {
    "PC-01": _unsaid(
        "data protection officer", "Who it is, or that there is none, is not said.", "GDPR Article 13(1)(b), 37"
    ),
    "PC-02": _unsaid(
        "representative",
        "A controller outside the Union or the United Kingdom names a representative there; `none` is for one inside.",
        "GDPR Article 13(1)(a), 27",
    ),
    "PC-03": _unsaid(
        "transfers to third countries",
        "Receivers in third countries and what safeguards the transfer are not said.",
        "GDPR Article 13(1)(f), 30(1)(e), 44 to 49",
    ),
    "PC-04": _unsaid(
        "how long a receiver keeps it",
        "A processor that stores data has no period, and no criterion for one that a reader could use.",
        "GDPR Article 13(2)(a)",
    ),
    "PC-05": _unsaid(
        "a right that follows from a legal basis",
        "Each legal basis brings rights (DPV publishes the mapping). The document does not name this one.",
        "GDPR Article 13(2)(b), 15 to 21",
    ),
    "PC-06": _unsaid(
        "withdrawal of consent",
        "Consent is a legal basis, and how it is withdrawn is not said.",
        "GDPR Article 7(3), 13(2)(c)",
    ),
    "PC-07": _unsaid(
        "complaint to an authority",
        "That a person can complain to a supervisory authority, and to which, is not said.",
        "GDPR Article 13(2)(d), 77",
        ("gdpr",),
    ),
    "PC-08": _unsaid(
        "complaint to the ICO",
        "In the United Kingdom, a complaint is made to us first and to the Information Commissioner then.",
        "UK GDPR Article 77; Data (Use and Access) Act 2025, section 103",
        ("uk",),
    ),
    "PC-09": _unsaid(
        "automated decisions", "Whether decisions are made without a person is not said.", "GDPR Article 13(2)(f), 22"
    ),
    "PC-10": _unsaid(
        "data that has to be provided",
        "What a person has to provide, and what happens otherwise, is not said.",
        "GDPR Article 13(2)(e)",
    ),
    "PC-11": _unsaid(
        "children",
        "From which age the service may be used is not said.",
        "GDPR Article 8; UK GDPR Article 8; CCPA § 1798.120(c)",
        _ALL,
    ),
    "PC-12": _unsaid(
        "legitimate interests",
        "They are a legal basis, and which interests these are is not said.",
        "GDPR Article 13(1)(d)",
    ),
    "PC-13": _unsaid(
        "joint controllers", "Whether somebody else decides too is not said.", "GDPR Article 26, 30(1)(a)"
    ),
    "PC-14": _unsaid(
        "answers within a month", "A request is answered within one month of its receipt.", "GDPR Article 12(3)"
    ),
    "PC-15": _unsaid(
        "answers within 45 days", "A request is answered within 45 days.", "CCPA § 1798.130(a)(2)", _CALIFORNIA
    ),
    "PC-16": _unsaid(
        "agreements with processors", "Whether they exist is not said.", "GDPR Article 28(3), 30", _EUROPE
    ),
    "PC-17": _unsaid(
        "sold or shared",
        "Whether personal information was sold or shared in the last twelve months, or how to opt out, is not said.",
        "CCPA § 1798.120, 1798.130(a)(5)(C), 1798.135",
        _CALIFORNIA,
    ),
    "PC-18": _unsaid(
        "sensitive personal information",
        "Whether it is collected, and what it is used for, is not said.",
        "CCPA § 1798.100(a)(2), 1798.121",
        _CALIFORNIA,
    ),
    "PC-19": _unsaid(
        "a right of the CCPA",
        "The rights to know, to delete and to correct are named.",
        "CCPA § 1798.105, 1798.106, 1798.110",
        _CALIFORNIA,
    ),
    "PC-20": _unsaid(
        "no retaliation", "That nobody is treated worse for using a right is not said.", "CCPA § 1798.125", _CALIFORNIA
    ),
    "PC-21": _unsaid(
        "agents and verification",
        "How an authorised agent makes a request, and how requests are verified, is not said.",
        "CCPA § 1798.130, 1798.135(e); 11 CCR § 7060, 7063",
        _CALIFORNIA,
    ),
    "PC-22": _unsaid(
        "category of the CCPA",
        "The table of categories needs a key of fideslang that is narrower than this one.",
        "CCPA § 1798.130(a)(5)(B), 1798.140(v)",
        _CALIFORNIA,
    ),
    "PC-23": _unsaid(
        "Global Privacy Control",
        "A browser's signal counts as a request to opt out.",
        "CCPA § 1798.135(b); 11 CCR § 7025",
        _CALIFORNIA,
    ),
}

WORDING_CODES = {
    "PW-01": Code(
        "hedge",
        "“May”, “some”, “often” and their like leave open what is done.",
        "GDPR Article 12(1); WP260 rev.01, paragraph 13",
        "warning",
    ),
    "PW-02": Code(
        "praise that nobody can verify",
        "“Enterprise-grade” names no measure. The measures themselves do.",
        "FTC Act section 5; GDPR Article 5(1)(a)",
        "warning",
    ),
    "PW-03": Code(
        "consent by continued use",
        "Going on is no clear affirmative act. It may change a contract; consent it is not.",
        "GDPR Article 4(11), 7; Recital 32; CJEU C-673/17 (Planet49)",
        "warning",
    ),
    "PW-04": Code(
        "deferral to somebody else's policy",
        "What is received is told by naming it, not by pointing to a vendor's policy.",
        "GDPR Article 13(1)(e), 12(1)",
        "warning",
    ),
}

WAIVER_CODES = {
    "PL-01": Code("waiver of no rule", "There is no rule of that code, so nothing can be waived."),
    "PL-02": Code(
        "waiver without a finding",
        "The rule finds nothing there any more, or never did. Delete the waiver: it would hide the next finding.",
        severity="warning",
    ),
    "PL-03": Code("waiver that has expired", "It was accepted for a time, and the time is over."),
}
