"""Sentences about the document itself and whom to ask.

Kinds: `may_change`, `announces_changes`, `accepts_changes`, `contact`.
"""

from crouter.plan.phrases import Phrase, Sentence, Value, listed, phrase, sentence
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import date_words, duration_words
from crouter.policy.parts.parties import Changes

_SIGNIFICANT = {
    "new_data": "new data",
    "new_purpose": "a new purpose",
    "new_recipient": "a new recipient",
    "longer_retention": "longer retention",
    "weaker_promise": "a weaker promise",
}


def may_change(topic: Topic) -> list[Sentence]:
    """That the policy may change, and which version this is."""
    dates = topic.policy.policy
    return [
        sentence("we may change this policy"),
        sentence(
            "this is version ",
            Value("policy.version", dates.version),
            ", in effect from ",
            Value("policy.effective", date_words(dates.effective)),
        ),
    ]


def announces_changes(topic: Topic) -> list[Sentence]:
    """How significant changes are announced, and what makes a change significant."""
    changes = topic.node
    assert isinstance(changes, Changes)
    path = topic.at("announced_by")
    url = topic.policy.service.url
    if changes.announced_by == "email":
        channel = phrase(Value(path, "by email"))
    else:
        channel = phrase(Value(path, "on our website"), ", ", Value("service.url", url, proper=True, link=url))
    early: Phrase = ()
    if changes.notice is not None:
        notice = Value(topic.at("notice"), duration_words(changes.notice))
        early = phrase(", ", notice, " or more before they take effect")
    kinds = listed(
        (Value(topic.at("significant", n), _SIGNIFICANT[kind]) for n, kind in enumerate(changes.significant)), "or"
    )
    return [
        sentence("we announce significant changes ", channel, early),
        sentence("a change is significant when it brings ", kinds),
    ]


def accepts_changes(topic: Topic) -> list[Sentence]:
    """What counts as acceptance of a change."""
    service = Value("service.name", topic.policy.service.name, proper=True)
    if topic.node == "continued_use":
        used = Value(topic.path, "continue to use")
        return [sentence("if you ", used, " ", service, " after a change, you accept the change")]
    assert topic.node == "explicit_consent"
    return [sentence("a change applies to you only after you have ", Value(topic.path, "agreed to it"))]


def contact(topic: Topic) -> list[Sentence]:
    """Where privacy questions go, and who answers for the data."""
    address = topic.node
    assert isinstance(address, str)
    controller = Value("controller.name", topic.policy.controller.name, proper=True)
    return [
        sentence("send privacy questions to ", Value(topic.path, address, proper=True, link=f"mailto:{address}")),
        sentence(controller, " is the controller of your personal data"),
    ]
