"""Random policies that are valid by construction, as plain data: names, texts, numbers and the shape of every part.

`policies()` gives trees that `load` takes once they are written as YAML. `texts` is what words for people are made of.
"""

import datetime
import re
from typing import Any

import yaml
from hypothesis import strategies as st

from crouter.policy.books import BOOK
from crouter.policy.load import Loaded, load
from crouter.policy.needs import NEEDED_LOGS, NEEDED_TABLES
from tests.properties.tables import NEEDED_PURPOSES, Tree, Word, purposes_of, tables

CALM = st.sampled_from(["account data", "one", "two words", "A longer label of five words"])
CODE = (
    "null",
    "true",
    "None",
    "NaN",
    "undefined",
    "__proto__",
    "</script>",
    "<!--",
    "DROP TABLE x",
    "{{ x }}",
    "%(x)s",
)
_HARMFUL = st.text(
    st.sampled_from("\"'`\\{}[]()<>&%$#@*_-|:;,.!?/~^=+ aZ0é字\U0001f600\u00ad")
    | st.characters(exclude_categories=["C", "Z"]),
    min_size=1,
    max_size=40,
).map(str.strip)
# Hypothesis tries the strings of the source code too, and some mean something to a rule: names of vendors, say.
HOSTILE = st.sampled_from(CODE) | _HARMFUL.filter(lambda text: not re.search(r"[A-Za-z]{2}", text))

USES = ("essential.service", "essential.service.operations", "analytics.reporting", "functional.storage")
BASES = ("consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests")
ENFORCED = {
    "collects": ["declared_columns"],
    "excludes": ["egress_guard"],
    "passes_through": ["streamed_bodies"],
    "processor": ["egress_guard"],
    "seals_keys": ["sealed_keys"],
    "encrypts_transport": ["https_only"],
    "retains": ["retention_job"],
    "deletes": ["retention_job"],
    "sets_cookies": ["cookie_register"],
}

OPTIONAL = tuple(
    name
    for name, table in NEEDED_TABLES.items()
    if (table.may_be_missing and table.subject == "customer") or name == "credit_lease"
)
"""Tables of customers' rows that a policy may be without, or may call its own."""
NOBODYS = tuple(name for name, table in NEEDED_TABLES.items() if table.subject == "none" and name != "retention_run")
"""Tables of nobody's rows, each of which needs a rule of its own."""


class _Quoted(yaml.SafeDumper):
    """Quotes every text, and writes out what stands in several places."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def as_yaml(tree: Tree) -> str:
    """The tree as the text of policy.yaml."""
    text: str = yaml.dump(tree, Dumper=_Quoted, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def loaded(tree: Tree) -> Loaded:
    """What comes of loading the tree."""
    return load(as_yaml(tree))


def _names(stem: str, count: int) -> list[str]:
    return [f"{stem}_{number}" for number in range(count)]


@st.composite
def policies(draw: st.DrawFn, texts: st.SearchStrategy[str] = CALM, size: int = 3) -> Tree:
    """A valid policy. `size` bounds each list of parts; every word for people is one of `texts`."""

    def word() -> str:
        return draw(texts.filter(_is_text))

    reasons = {name: _purpose(draw, word, needed=True) for name in NEEDED_PURPOSES}
    reasons |= {name: _purpose(draw, word) for name in _names("purpose", draw(st.integers(1, size)))}
    purposes = [*reasons]
    kept = _names("kept", draw(st.integers(0, size)))
    data = tables(draw, word, purposes, kept)
    tree: Tree = {
        "language": 1,
        **_identity(draw, word),
        "purposes": reasons,
        "sources": {
            "sign_in": {"label": word(), "kind": "identity"},
            "request": {"label": word(), "kind": "measurement"},
            "own": {"label": word(), "kind": "service"},
        },
        "data": data,
        "never": _never(word),
        "processors": _parties(draw, word, purposes, data, _names("party", draw(st.integers(0, size)))),
        **_promises(draw, word, kept, data),
        **_surface(draw, word, _unrefusable(reasons), size),
    }
    if draw(st.booleans()):
        _add_analytics(draw, word, tree)
    if draw(st.booleans()):
        _add_edge(draw, word, purposes, tree)
    tree["sections"] = _sections(tree, word)
    return tree


def _identity(draw: st.DrawFn, word: Word) -> Tree:
    return {
        "service": {"name": word(), "url": "https://small.example", "description": word()},
        "controller": {
            "name": word(),
            "contact": "privacy@small.example",
            "office": word() if draw(st.booleans()) else "none",
        },
        "policy": {
            "title": word(),
            "version": word(),
            "effective": draw(st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 1, 1))),
            "locale": "en",
            "profiles": ["gdpr"],
            "changes": {
                "announced_by": draw(st.sampled_from(["email", "website"])),
                "significant": ["new_data", "weaker_promise"],
                "acceptance": draw(st.sampled_from(["continued_use", "explicit_consent"])),
            },
        },
    }


def _purpose(draw: st.DrawFn, word: Word, needed: bool = False) -> Tree:
    """One that nobody may refuse, if it is `needed`."""
    return {
        "label": word(),
        "basis": "contract" if needed else draw(st.sampled_from(BASES)),
        "data_use": "essential.service" if needed else draw(st.sampled_from(USES)),
        "dpv": draw(st.sampled_from(["ServiceProvision", "PaymentManagement"])),
    }


def _unrefusable(reasons: Tree) -> list[str]:
    """The purposes that an essential cookie can have."""
    return [n for n, why in reasons.items() if why["basis"] != "consent" and why["data_use"] != "analytics.reporting"]


def _never(word: Word) -> Tree:
    """Promises with a word of a known meaning, so that a random one is not taken for the name of what is kept."""
    return {
        "content": {
            "label": f"prompts {word()}",
            "covers": [f"prompts {word()}"],
            "not": ["store", "log"],
            "passes_through_to": "upstream",
            "data_category": "user.content",
        },
        "sale": {"label": word(), "covers": [word()], "not": ["sell", "rent"], "data_category": "user"},
    }


def _parties(draw: st.DrawFn, word: Word, purposes: list[str], data: Tree, names: list[str]) -> Tree:
    parties = {"upstream": _party(draw, word, [draw(st.sampled_from(purposes))], ["content"], "transit", 0)}
    choices = st.sampled_from(["account.email", *(name for name, table in data.items() if "fields" in table)])
    for number, name in enumerate(names, start=1):
        receives = draw(st.lists(choices, min_size=1, max_size=3, unique=True))
        mode = draw(st.sampled_from(["store", "transit"]))
        parties[name] = _party(draw, word, purposes_of(draw, data, receives), receives, mode, number)
    return parties


def _promises(draw: st.DrawFn, word: Word, kept: list[str], data: Tree) -> Tree:
    pick = st.sampled_from
    kept = ["api_key", "ledger", *(name for name in OPTIONAL if name in data), *kept]
    job = {"every": "P1D", "lag_max": "PT12H"}
    evidence = {"of": ["retention_run"], "keep": "P36M", "from": "started_at", **job}
    return {
        "retention": {
            "account": {"of": ["account", *kept], "keep": "while_active"},
            "usage": {
                "of": ["usage"],
                "keep": draw(pick(["P12M", "P30D", "P2W", "P1Y6M"])),
                "from": "occurred_at",
                **draw(pick([{}, {"partitions": "P1D"}, {"partitions": "P7D"}])),
                **job,
            },
            **({"evidence": evidence} if "retention_run" in data else {}),
            **{name: _nobodys_rule(name, job) for name in NOBODYS if name in data},
            "deletion": {
                "of": ["account", "usage", *kept],
                "event": "account.deletion_requested_at",
                "within": draw(pick(["P30D", "P1M", "P10D"])),
                "grace": "P7D",
                "every": "PT1H",
                "lag_max": "P1D",
            },
        },
        "security": {
            "keys": {"encryption": "AES-256-GCM", "lookup": "HMAC-SHA-256"},
            "https": {"minimum_tls": draw(pick(["1.2", "1.3"])), "hsts": "P1Y", "plain_http": "refuse"},
        },
        "rights": {
            "erasure": {"label": word(), "article": 17, "by": "deletion"},
            "access": {"label": word(), "article": 15, "formats": ["json"]},
        },
        "requests": {"channel": "contact", "deadline": draw(pick(["P30D", "P1M"]))},
    }


def _nobodys_rule(name: str, job: Tree) -> Tree:
    # The database lets nobody take entries out of the book.
    if name == BOOK:
        return {"of": [name], "keep": "while_active"}
    return {"of": [name], "keep": "P36M", "from": _time_of(name), **job}


def _time_of(name: str) -> str:
    """The timestamp that every row of a needed table has."""
    columns = NEEDED_TABLES[name].columns.items()
    return next(column for column, needed in columns if needed.type == "timestamp" and needed.written_always)


def _surface(draw: st.DrawFn, word: Word, purposes: list[str], size: int) -> Tree:
    def some(least: int, most: int) -> int:
        return draw(st.integers(least, most))

    return {
        "proxy": {
            "upstream": "upstream",
            "body_bytes_max": some(1024, 1 << 30),
            "routes": {"messages": {"method": "POST", "path": "/v1/messages", "metered": True}},
            "drops_request_headers": ["cookie", "x-forwarded-*"],
            "drops_response_headers": ["set-cookie"],
            "limits": {
                "per": "api_key",
                "requests_per_minute": some(1, 10),
                "requests_per_hour": some(10, 100),
                "requests_per_day": some(100, 1000),
            },
        },
        "logging": {log: {"time": "timestamp", "event": "word"} for log in NEEDED_LOGS},
        "metrics": {f"{n}_total": {"counts": word(), "labels": ["route"]} for n in _names("count", some(0, size))}
        | {f"{n}_now": {"shows": word(), "labels": ["route"]} for n in _names("gauge", some(0, size))},
        "cookies": {
            name: {
                "purpose": draw(st.sampled_from(purposes)),
                "category": "essential",
                "lifetime": draw(st.sampled_from(["session", "P14D"])),
                "http_only": draw(st.booleans()),
                "same_site": draw(st.sampled_from(["lax", "strict"])),
            }
            for name in _names("cookie", some(1, size))
        },
        "consent": {"modes": {"essential": "always"}},
    }


def _add_edge(draw: st.DrawFn, word: Word, purposes: list[str], tree: Tree) -> None:
    party = _party(draw, word, [draw(st.sampled_from(purposes))], ["content"], "transit", 91)
    # Named after its processor: it might have the name of another one.
    runtime = f"{party['label']} {word()}"
    tree["processors"]["edge"] = party
    tree["security"]["edge"] = {
        "processor": "edge",
        "runtime": runtime,
        "compatibility_date": datetime.date(2026, 4, 26),
    }


def _add_analytics(draw: st.DrawFn, word: Word, tree: Tree) -> None:
    purpose = draw(st.sampled_from([*tree["purposes"]]))
    modes = ["opt_in"] if tree["purposes"][purpose]["basis"] == "consent" else ["opt_in", "opt_out", "always"]
    tree["processors"]["measuring"] = _party(draw, word, [purpose], ["analytics"], "store", 90)
    tree["consent"]["modes"]["analytics"] = draw(st.sampled_from(modes))
    tree["analytics"] = {
        "processor": "measuring",
        "relay": "/relay/analytics",
        "events": {"page_view": {"label": word(), "properties": ["path"]}},
        "never_sends": [word()],
    }


def _is_text(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip() and "\ufffd" not in text


def _party(draw: st.DrawFn, word: Word, purposes: list[str], receives: list[str], mode: str, number: int) -> Tree:
    periods = ["P30D", "contract", "legal_obligation", "unstated"]
    if mode == "transit":
        # Who only passes data on keeps none of it.
        periods = [*periods, "none"] if receives == ["content"] else ["unstated", "none"]
    return {
        "label": word(),
        "does": word(),
        "purposes": purposes,
        "receives": receives,
        "mode": mode,
        "hosts": [f"api{number}.party.example"],
        "policy_covers": word(),
        "policy_url": "https://party.example/privacy",
        "keeps": {
            "for": draw(st.sampled_from(periods)),
            "source": "https://party.example/privacy",
            "as_of": datetime.date(2026, 1, 1),
        },
    }


def _sections(tree: Tree, word: Word) -> list[Tree]:
    said = [("collects", f"data.{name}") for name in tree["data"] if "fields" in tree["data"][name]]
    said += [("uses", "data.account.email"), ("passes_through", "never.content")]
    said += [("excludes", f"never.{name}") for name in tree["never"]]
    said += [("processor", f"processors.{name}") for name in tree["processors"]]
    said += [("deletes", "retention.deletion")]
    said += [("retains", f"retention.{name}") for name in tree["retention"] if name != "deletion"]
    said += [("right", f"rights.{name}") for name in tree["rights"]]
    said += [("answers", "requests"), ("seals_keys", "security.keys"), ("encrypts_transport", "security.https")]
    said += [("sets_cookies", "cookies"), ("may_change", "policy.version"), ("announces_changes", "policy.changes")]
    said += [("accepts_changes", "policy.changes.acceptance"), ("contact", "controller.contact")]
    said += [("office", "controller.office")]
    said += [("measures", "analytics")] if "analytics" in tree else []
    said += [("runs_at_edge", "security.edge")] if "edge" in tree["security"] else []
    claims = {
        f"claim-{number}": {"says": says, "about": about, "enforced_by": ENFORCED.get(says, [])}
        for number, (says, about) in enumerate(said)
    }
    names = list(claims)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    return [
        {"title": f"{number}. {word()}", "claims": {name: claims[name] for name in half}}
        for number, half in enumerate(halves, start=1)
    ]
