"""Sentences about what is collected: `collects`, `pays`."""

from crouter.plan.phrases import Phrase, Sentence, Value, phrase, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.policy.parts.data import DataCategory
from crouter.policy.parts.parties import Processor


def collects(topic: Topic) -> list[Sentence]:
    """What a category of data holds, when it comes to be, from which source and what for."""
    category = topic.node
    assert isinstance(category, DataCategory)
    when = phrase("when ", Value(topic.at("when"), category.when), ", ")
    label = Value(topic.at("label"), category.label)
    if not category.fields:
        said = [sentence(when, "we record ", label)]
        return [*said, sentence("this names no person")] if category.subject == "none" else said
    by_source: dict[str, list[str]] = {}
    for name, field in category.fields.items():
        by_source.setdefault(vocabulary.source_of(topic.policy, category, field), []).append(name)
    return [
        line
        for source, names in by_source.items()
        for line in _from_source(topic, category, source, names, when, label)
    ]


def pays(topic: Topic) -> list[Sentence]:
    """Who takes the payments, and what is never done with payment data."""
    processor = topic.node
    assert isinstance(processor, Processor)
    said = [sentence(Value(topic.at("label"), processor.label, proper=True), " takes your payments")]
    for name in vocabulary.about_payment(topic.policy.never):
        said += vocabulary.prohibition(topic.policy, name)
    return said


def _from_source(
    topic: Topic, category: DataCategory, source_name: str, names: list[str], when: Phrase, label: Value
) -> list[Sentence]:
    source = topic.policy.sources[source_name]
    source_label = Value(f"sources.{source_name}.label", source.label, proper=True)
    held = vocabulary.fields(topic.policy, topic.name, names)
    reasons = vocabulary.purposes(topic.policy, vocabulary.purposes_of(category.fields[name] for name in names))
    if source.kind == "identity":
        return [sentence(when, "we collect ", held, " from ", source_label)]
    if source.kind == "measurement":
        return [
            sentence(when, "we log ", label, ": ", held),
            sentence("we take this from ", source_label, ", for ", reasons),
        ]
    return [sentence(when, source_label, " records ", label, ": ", held), sentence("this is for ", reasons)]
