"""Sentences about a person's rights and how to use them: `right`, `answers`."""

from crouter.plan.phrases import Piece, Sentence, Value, listed, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import duration_words
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, Requests, Right

_LAWS = {"gdpr": "the GDPR", "uk": "the UK GDPR"}
_FORMATS = {"json": "JSON", "csv": "CSV", "html": "HTML"}


def right(topic: Topic) -> list[Sentence]:
    """A right, the law that gives it, and how we carry it out."""
    node = topic.node
    assert isinstance(node, Right)
    said = [sentence("you have the right to ", Value(topic.at("label"), node.label), *_article(topic, node))]
    if node.fields:
        said.append(sentence("this covers ", listed(_field(topic.policy, path) for path in node.fields)))
    if node.formats:
        formats = listed(Value(topic.at("formats", n), _FORMATS[name]) for n, name in enumerate(node.formats))
        said.append(sentence("you can get it as ", formats))
    rule = topic.policy.retention.get(node.by) if node.by else None
    if isinstance(rule, DeleteAfter):
        within = Value(f"retention.{node.by}.within", duration_words(rule.within))
        limit = ", except what the law requires us to keep" if rule.exceptions else ""
        said.append(sentence("your personal data is then gone within ", within, limit))
    return said


def answers(topic: Topic) -> list[Sentence]:
    """How a right is used, and by when we answer."""
    requests = topic.node
    assert isinstance(requests, Requests)
    contact = topic.policy.controller.contact
    address = Value("controller.contact", contact, proper=True, link=f"mailto:{contact}")
    deadline = Value(topic.at("deadline"), duration_words(requests.deadline))
    return [
        sentence("to use your rights, contact us at any time at ", address),
        sentence("we answer within ", deadline),
    ]


def _article(topic: Topic, node: Right) -> list[Piece]:
    laws = [
        Value(f"policy.profiles.{number}", _LAWS[profile])
        for number, profile in enumerate(topic.policy.policy.profiles)
        if profile in _LAWS
    ]
    if not laws:
        return []
    return [" (Article ", Value(topic.at("article"), str(node.article)), " of ", listed(laws), ")"]


def _field(policy: Policy, path: str) -> Piece:
    category, _, field = path.partition(".")
    return vocabulary.fields(policy, category, [field]) if field else vocabulary.category(policy, category)
