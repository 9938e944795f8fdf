"""Sentences about what is not done: `excludes`, `passes_through`, `office`, `no_advertising`."""

from crouter.plan.phrases import Sentence, Value, listed, phrase, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import duration_words
from crouter.policy.parts.data import Never
from crouter.policy.types import Duration


def excludes(topic: Topic) -> list[Sentence]:
    """What is never done, and what it could be derived from."""
    never = topic.node
    assert isinstance(never, Never)
    said = vocabulary.prohibition(topic.policy, topic.name)
    if never.derivable_from:
        roots = listed(
            Value(topic.at("derivable_from", number), item) for number, item in enumerate(never.derivable_from)
        )
        label = Value(topic.at("label"), never.label)
        said.append(sentence("we do not store or log what ", label, " could be derived from: ", roots))
    return said


def passes_through(topic: Topic) -> list[Sentence]:
    """What reaches a processor through us without being kept."""
    never = topic.node
    assert isinstance(never, Never)
    ways = phrase("we pass through ", vocabulary.covered(never, topic.name))
    if never.passes_through_to is None:
        said = [sentence(ways)]
    else:
        receiver = topic.policy.processors[never.passes_through_to]
        label = Value(f"processors.{never.passes_through_to}.label", receiver.label, proper=True)
        said = [sentence("between you and ", label, ", ", ways)]
    if "retain" in never.not_:
        said.append(sentence("we ", Value(topic.at("not", never.not_.index("retain")), "retain"), " none of this"))
    return said + _kept_by_the_receiver(topic, never)


def _kept_by_the_receiver(topic: Topic, never: Never) -> list[Sentence]:
    """Who reads that we keep nothing learns here, and not elsewhere only, that somebody else does for a while."""
    name = never.passes_through_to
    if name is None:
        return []
    receiver = topic.policy.processors[name]
    if not isinstance(receiver.keeps.for_, Duration):
        return []
    label = Value(f"processors.{name}.label", receiver.label, proper=True)
    period = Value(f"processors.{name}.keeps.for", duration_words(receiver.keeps.for_))
    return [sentence(label, " states that it keeps it for ", period)]


def office(topic: Topic) -> list[Sentence]:
    """Where the operator's office is, or that there is none."""
    address = topic.node
    assert isinstance(address, str)
    service = Value("service.name", topic.policy.service.name, proper=True)
    if address == "none":
        return [
            sentence("we have ", Value(topic.path, "no office address")),
            sentence(service, " is a fully remote, online service"),
        ]
    return [sentence("our office address is ", Value(topic.path, address, proper=True))]


def no_advertising(topic: Topic) -> list[Sentence]:
    """That there are no advertising cookies, and that no data is sold to advertisers."""
    never = topic.node
    assert isinstance(never, Never)
    said = [sentence("we set no third-party advertising cookies")]
    if "sell" in never.not_:
        verb = Value(topic.at("not", never.not_.index("sell")), "sell")
        said.append(sentence("we do not ", verb, " ", Value(topic.at("label"), never.label), " to advertisers"))
    return said
