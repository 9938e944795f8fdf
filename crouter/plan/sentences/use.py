"""Sentences about what data is used for: `uses`."""

from crouter.plan.phrases import Sentence, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.policy.parts.data import DataCategory, DataField


def uses(topic: Topic) -> list[Sentence]:
    """What a category of data, or one field of it, is used for."""
    policy, node = topic.policy, topic.node
    if isinstance(node, DataField):
        _, owner, _, name = topic.path.split(".")
        used = vocabulary.fields(policy, owner, [name])
        reasons = vocabulary.purposes(policy, node.purposes)
        return [sentence("we use ", used, " for ", reasons)]
    assert isinstance(node, DataCategory)
    reasons = vocabulary.purposes(policy, vocabulary.purposes_of(node.fields.values()))
    return [sentence("we use ", vocabulary.category(policy, topic.name), " for ", reasons)]
