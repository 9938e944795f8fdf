"""Sentences about technical measures: `seals_keys`, `encrypts_transport`, `runs_at_edge`."""

from crouter.plan.phrases import Piece, Sentence, Value, listed, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import counted, duration_words
from crouter.policy.model import Policy
from crouter.policy.parts.promises import EdgeSecurity, KeySecurity, TransportSecurity
from crouter.policy.types import Duration


def seals_keys(topic: Topic) -> list[Sentence]:
    """How API keys are kept."""
    keys = topic.node
    assert isinstance(keys, KeySecurity)
    encryption = Value(topic.at("encryption"), keys.encryption, proper=True)
    lookup = Value(topic.at("lookup"), keys.lookup, proper=True)
    return [
        sentence("we store ", _sealed(topic.policy), " securely and encrypted, with ", encryption),
        sentence("to find a key we use a keyed hash of it (", lookup, "), so that no key has to be decrypted"),
        *([_replaced(topic, keys.active_max, keys.rotation_grace)] if keys.rotation_grace else []),
    ]


def _replaced(topic: Topic, active_max: int, grace: Duration) -> Sentence:
    return sentence(
        "an account has ",
        Value(topic.at("active_max"), counted(active_max, "active key")),
        " at a time; a key that you replace goes on working for ",
        Value(topic.at("rotation_grace"), duration_words(grace)),
        ", and one that you revoke ends at once",
    )


def encrypts_transport(topic: Topic) -> list[Sentence]:
    """How communication is encrypted."""
    https = topic.node
    assert isinstance(https, TransportSecurity)
    version = Value(topic.at("minimum_tls"), https.minimum_tls)
    refused = https.plain_http == "refuse"
    plain_http = Value(topic.at("plain_http"), "refuse" if refused else "redirect")
    return [
        sentence("all communication is over HTTPS, with TLS ", version, " or newer"),
        sentence("we ", plain_http, " plain HTTP" if refused else " plain HTTP to HTTPS"),
        sentence(
            "we tell browsers to use only HTTPS with us for ",
            Value(topic.at("hsts"), duration_words(https.hsts)),
            " after each visit",
        ),
    ]


def runs_at_edge(topic: Topic) -> list[Sentence]:
    """What handles requests before they reach the service."""
    edge = topic.node
    assert isinstance(edge, EdgeSecurity)
    runtime: list[Piece] = [Value(topic.at("runtime"), edge.runtime, proper=True)]
    operator = topic.policy.processors[edge.processor].label
    if operator.lower() not in edge.runtime.lower():
        runtime += [" of ", Value(f"processors.{edge.processor}.label", operator, proper=True)]
    return [sentence("requests are handled at the edge by ", *runtime, ", before they reach our service")]


def _sealed(policy: Policy) -> Piece:
    names = [
        name
        for name, category in policy.data.items()
        if any(field.type == "sealed" for field in category.fields.values())
        or any(column.type == "sealed" for column in category.technical.values())
    ]
    return listed(vocabulary.category(policy, name) for name in names) if names else "API keys"
