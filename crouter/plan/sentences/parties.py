"""Sentences about processors: `processor`."""

from typing import Final

from crouter.plan.phrases import Phrase, Piece, Sentence, Text, Value, listed, phrase, plain, portions, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import date_words, duration_words, has_determiner
from crouter.policy.model import Policy
from crouter.policy.parts.parties import Processor
from crouter.policy.types import Duration

LISTED_AT_ONCE: Final = 12


def processor(topic: Topic) -> list[Sentence]:
    """What a processor does, why, what it receives, and what its own privacy policy speaks for."""
    party = topic.node
    assert isinstance(party, Processor)
    label = Value(topic.at("label"), party.label, proper=True)
    verb = Value(topic.at("mode"), "stores" if party.mode == "store" else "receives")
    received = [_received(topic.policy, path, topic.at("receives", n)) for n, path in enumerate(party.receives)]
    first, *further = portions(received, LISTED_AT_ONCE)
    apart = ""
    if party.mode == "store" and "row_level_security" in topic.enforced_by:
        apart = " securely: no account can read the rows of another"
    own_policy = Value(topic.at("policy_url"), "privacy policy", link=party.policy_url)
    return [
        sentence("we use ", label, " for ", Value(topic.at("does"), party.does)),
        *_purposes(topic.policy, party),
        sentence("it ", verb, " ", listed(first), "" if further else apart),
        *(sentence("it also ", verb, " ", listed(more)) for more in further),
        *([sentence("all of this is stored", apart)] if further and apart else []),
        sentence("its ", own_policy, " covers ", Value(topic.at("policy_covers"), party.policy_covers)),
        *_kept(topic, party),
        *_seen(topic, party),
    ]


def _purposes(policy: Policy, party: Processor) -> list[Sentence]:
    labels = {policy.purposes[name].label for name in party.purposes}
    # What the processor does often names its purposes already; they are not said twice.
    if all(label.lower() in party.does.lower() for label in labels):
        return []
    reasons = vocabulary.purposes(policy, party.purposes)
    several = len(labels) > 1
    return [sentence("the purposes are " if several else "the purpose is ", reasons)]


def _received(policy: Policy, path: str, place: str) -> Piece:
    name, _, field = path.partition(".")
    if name == "content" and name not in policy.data:
        never = policy.never.get("content")
        return Value("never.content.label", never.label) if never else Value(place, "the content of API requests")
    if name == "analytics" and name not in policy.data:
        return _events(policy, place)
    if not field:
        return vocabulary.category(policy, name)
    label = vocabulary.fields(policy, name, [field])
    if label[0] == Text("your "):
        return label
    article = "" if has_determiner(plain(label)) else "the "
    return phrase(article, label, " in ", vocabulary.category(policy, name))


def _events(policy: Policy, place: str) -> Phrase:
    if policy.analytics is None:
        return phrase(Value(place, "analytics events"))
    events = policy.analytics.events.items()
    return listed(Value(f"analytics.events.{name}.label", event.label) for name, event in events)


def _seen(topic: Topic, party: Processor) -> list[Sentence]:
    seen = party.sees
    if seen is None:
        return []
    source = Value(topic.at("sees", "source"), "statement", link=seen.source)
    path = topic.at("sees", "keep")
    if isinstance(seen.keep, Duration):
        period = sentence("by its own ", source, ", these logs last ", Value(path, duration_words(seen.keep)))
    else:
        period = sentence("its own ", source, " on these logs ", Value(path, "names no period"))
    when, label = Value(topic.at("sees", "when"), seen.when), Value(topic.at("sees", "label"), seen.label)
    return [
        sentence("when ", when, ", its own servers see and log ", label),
        period,
        sentence("we can neither prevent that nor read these logs"),
    ]


def _kept(topic: Topic, party: Processor) -> list[Sentence]:
    # "As long as the contract or the law requires" tells a reader nothing to rely on; it stands in the records.
    keeps = party.keeps
    statement = phrase(
        "by its own ",
        Value(topic.at("keeps", "source"), "statement", link=keeps.source),
        " as of ",
        Value(topic.at("keeps", "as_of"), date_words(keeps.as_of)),
    )
    path = topic.at("keeps", "for")
    if isinstance(keeps.for_, Duration):
        return [sentence(statement, ", it keeps what it receives for ", Value(path, duration_words(keeps.for_)))]
    return [sentence(statement, ", it ", Value(path, "does not keep"), " what it receives")] * (keeps.for_ == "none")
