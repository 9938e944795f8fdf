"""Sentences about cookies, browser storage and analytics: `sets_cookies`, `measures`."""

from crouter.plan.phrases import Phrase, Piece, Sentence, Value, listed, phrase, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import duration_words
from crouter.policy.model import Policy
from crouter.policy.parts.surface import Analytics, Cookie, CookieCategory, StorageKey
from crouter.policy.types import Duration

_PLACES = {"local_storage": "local storage", "session_storage": "session storage"}
_SIGNALS = {"global_privacy_control": "Global Privacy Control", "do_not_track": "Do Not Track"}
_PROPERTIES = {
    "path": "the path of the page",
    "referrer_host": "the host of the page before it",
    "element": "the element you used",
}


def sets_cookies(topic: Topic) -> list[Sentence]:
    """What the essential cookies serve, each by name, and how long it lasts."""
    policy = topic.policy
    kept = _kept(policy, "essential")
    if not kept:
        return [sentence("we set no essential cookies")]
    purposes = [entry.purpose for _, _, entry in kept]
    said = [sentence("we use essential cookies for ", vocabulary.purposes(policy, purposes))]
    for path, name, entry in kept:
        reason = vocabulary.purposes(policy, [entry.purpose])
        said.append(sentence(_named(path, name, entry), " is for ", reason, " and is kept ", _lifetime(path, entry)))
    said += {
        "opt_in": [sentence(Value("consent.modes.essential", "they wait for your consent"))],
        "opt_out": [sentence(Value("consent.modes.essential", "you can opt out of them"))],
    }.get(policy.consent.modes.get("essential", "always"), [])
    return said


def measures(topic: Topic) -> list[Sentence]:
    """What is measured on the web pages, with whom, what it leaves in the browser, and what it waits for."""
    analytics = topic.node
    assert isinstance(analytics, Analytics)
    policy = topic.policy
    label = Value(f"processors.{analytics.processor}.label", policy.processors[analytics.processor].label, proper=True)
    events = listed(Value(topic.at("events", name, "label"), event.label) for name, event in analytics.events.items())
    return [
        sentence("we use ", label, " analytics to measure ", events, " on our web pages"),
        *_left_in_browser(policy, label),
        *_properties(topic, analytics),
        *_never_sent(topic, analytics, label),
        *_consent(policy),
    ]


def _left_in_browser(policy: Policy, label: Value) -> list[Sentence]:
    kept = _kept(policy, "analytics")
    if not kept:
        return [sentence(label, " uses no cookies and no local storage")]
    entries = [
        phrase(
            _named(path, name, entry),
            " for ",
            vocabulary.purposes(policy, [entry.purpose]),
            ", kept ",
            _lifetime(path, entry),
        )
        for path, name, entry in kept
    ]
    return [
        sentence(label, " may use cookies or local storage"),
        sentence("it uses nothing but ", listed(entries)),
    ]


def _properties(topic: Topic, analytics: Analytics) -> list[Sentence]:
    said = []
    for name, event in analytics.events.items():
        if event.properties:
            held = listed(
                Value(topic.at("events", name, "properties", n), _PROPERTIES[item])
                for n, item in enumerate(event.properties)
            )
            said.append(sentence("for ", Value(topic.at("events", name, "label"), event.label), ", we send ", held))
    return said


def _never_sent(topic: Topic, analytics: Analytics, label: Value) -> list[Sentence]:
    if not analytics.never_sends:
        return []
    items = listed(Value(topic.at("never_sends", n), item) for n, item in enumerate(analytics.never_sends))
    return [sentence("we never send these to ", label, ": ", items)]


def _consent(policy: Policy) -> list[Sentence]:
    path = "consent.modes.analytics"
    mode = policy.consent.modes.get("analytics")
    waits = {
        "opt_in": "nothing is measured before you agree",
        "opt_out": "we measure until you object",
        "always": "we measure without asking for your consent",
    }
    said = [sentence(Value(path, waits[mode]))] if mode else []
    if policy.consent.honours:
        signals = listed(
            (
                Value(f"consent.honours.{n}", _SIGNALS[name], proper=True)
                for n, name in enumerate(policy.consent.honours)
            ),
            "or",
        )
        said.append(sentence("when your browser sends ", signals, ", nothing is measured"))
    return said


def _kept(policy: Policy, category: CookieCategory) -> list[tuple[str, str, Cookie | StorageKey]]:
    entries: list[tuple[str, str, Cookie | StorageKey]] = [
        *((f"cookies.{name}", name, cookie) for name, cookie in policy.cookies.items()),
        *((f"storage.{name}", name, key) for name, key in policy.storage.items()),
    ]
    return [entry for entry in entries if entry[2].category == category]


def _named(path: str, name: str, entry: Cookie | StorageKey) -> Phrase:
    kind: Piece = "the cookie " if isinstance(entry, Cookie) else ""
    place: list[Piece] = [" in ", Value(f"{path}.kind", _PLACES[entry.kind])] if isinstance(entry, StorageKey) else []
    return phrase(kind, Value(path, name, proper=True), *place)


def _lifetime(path: str, entry: Cookie | StorageKey) -> Phrase:
    if isinstance(entry.lifetime, Duration):
        return phrase("for ", Value(f"{path}.lifetime", duration_words(entry.lifetime)))
    if entry.lifetime == "persistent":
        return phrase(Value(f"{path}.lifetime", "until you clear it"))
    # Session storage belongs to a tab, a session cookie to the whole browser.
    closed = "browser" if isinstance(entry, Cookie) else "tab"
    return phrase(Value(f"{path}.lifetime", f"until you close the {closed}"))
