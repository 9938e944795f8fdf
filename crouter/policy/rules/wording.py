"""Words that say less than they seem to, in what the author wrote. Composed sentences: `crouter/plan/wording.py`."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.problems import Path
from crouter.policy.rules.contradictions.parties import EVERYTHING
from crouter.policy.rules.frame import Check, Finding, Rule
from crouter.policy.texts import texts_of

HEDGE = re.compile(
    r"\b(may|might|could|can sometimes|some|often|generally|usually|typically|normally|sometimes|occasionally|mostly"
    r"|primarily|mainly|possibly|perhaps|likely|from time to time|as (needed|necessary|appropriate|applicable)"
    r"|where (appropriate|possible|practicable|necessary)|if (necessary|needed|appropriate)"
    r"|including but not limited to|such as|among other things|etc\.?|and so on"
    r"|certain (data|information|third parties|partners|circumstances|cases)"
    r"|various|reasonable (efforts?|time|period|steps)|as long as necessary|up to|among others|in most cases)\b",
    re.IGNORECASE,
)
PRAISE = re.compile(
    r"\b(enterprise[- ]grade|military[- ]grade|bank[- ](grade|level)|best[- ]in[- ]class|state[- ]of[- ]the[- ]art"
    r"|world[- ]class|industry[- ](leading|standard)|cutting[- ]edge|industry best practices?|best practices?"
    r"|highest (standards?|level|possible)|fully (secure|compliant|anonymous)|(100|one hundred) ?%"
    r"|completely (safe|secure|private|anonymous)|unbreakable|unhackable|bulletproof|rock[- ]solid|top[- ]notch"
    r"|privacy[- ]first|gdpr[- ]compliant|ccpa[- ]compliant|robust|advanced security|strong security|securely"
    r"|we (take|value) (your )?(privacy|security)( very)?( seriously)?|trusted by|guarantee[sd]?)\b",
    re.IGNORECASE,
)
CONTINUED_USE = re.compile(
    r"\b(by (continuing|using|accessing|visiting|browsing)|continued use|continu(e|es|ing) to (use|browse))\b"
    r"(?=.*\b(agree|accept|consent|acceptance)\b)|\b(agree|accept|consent)(s|ance)? by (continu|us|visit|brows)ing\b"
    r"|\b(deemed|implied|implicit) (to have )?(consent|accept|agree)\w*",
    re.IGNORECASE,
)
DEFERRAL = re.compile(
    r"\b(see|refer to|consult|read|check|described in|explained in|set out in|governed by|subject to|according to"
    r"|in accordance with|whatever|as (listed|stated|set out) (in|by))\b[^.;]{0,60}"
    r"\b(privacy )?(polic(y|ies)|notice|terms|documentation|website)\b",
    re.IGNORECASE,
)

# `law` quotes a law, `never` is a promise of its own, and a reason is not for the public.
_NOT_PROSE = frozenset({"waivers", "metrics"})
# A name is what somebody is called, whatever it means.
_NAMES = frozenset({("service", "name"), ("controller", "name")})


def _prose(policy: Policy) -> Iterator[tuple[Path, str]]:
    for path, text in texts_of(policy):
        is_name = path in _NAMES or (path[0] == "processors" and path[-1] == "label")
        if not is_name and path[0] not in _NOT_PROSE and path[-1] not in ("law", "why", "office"):
            yield path, text


def _finder(pattern: re.Pattern[str], what: str, hint: str) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        for path, text in _prose(policy):
            if match := pattern.search(text):
                yield Finding(path, f"“{match[0]}” {what}", hint)

    return check


def _acceptance(policy: Policy) -> Iterator[Finding]:
    if policy.policy.changes.acceptance == "continued_use":
        sentence = "a changed policy binds whoever goes on using the service, which is no consent"
        hint = "write explicit_consent, at least where consent is the legal basis"
        yield Finding(("policy", "changes", "acceptance"), sentence, hint)


RULES = (
    Rule("PW-01", EVERYTHING, _finder(HEDGE, "leaves open what is done", "say what is done, and when")),
    Rule("PW-02", EVERYTHING, _finder(PRAISE, "is praise that nobody can verify", "name the measure instead")),
    Rule("PW-03", ("policy",), _acceptance),
    Rule("PW-03", EVERYTHING, _finder(CONTINUED_USE, "takes going on for consent", "ask, and record the answer")),
    Rule("PW-04", EVERYTHING, _finder(DEFERRAL, "defers to somebody else's words", "name the data instead")),
)
