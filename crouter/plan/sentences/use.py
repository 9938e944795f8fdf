"""Sentences about what data is used for: `uses`. Of the address that mails go to, also which mails there are."""

from typing import Final

from crouter.plan.phrases import Sentence, Value, listed, phrase, portions, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.policy.addresses import address_of
from crouter.policy.parts.data import DataCategory, DataField

# More reasons than these make a sentence that nobody reads to its end.
AT_ONCE: Final = 6


def uses(topic: Topic) -> list[Sentence]:
    """What a category of data, or one field of it, is used for."""
    policy, node = topic.policy, topic.node
    if isinstance(node, DataField):
        _, owner, _, name = topic.path.split(".")
        used = vocabulary.fields(policy, owner, [name])
        reasons = vocabulary.purposes(policy, node.purposes)
        said = [sentence("we use ", used, " for ", reasons)]
        return said + (_mails(topic) if policy.mail and (owner, name) == address_of(policy) else [])
    assert isinstance(node, DataCategory)
    reasons = vocabulary.purposes(policy, vocabulary.purposes_of(node.fields.values()))
    return [sentence("we use ", vocabulary.category(policy, topic.name), " for ", reasons)]


def _mails(topic: Topic) -> list[Sentence]:
    """Every mail that is sent, by what it is for, a few to a sentence."""
    policy = topic.policy
    said = []
    for name, purpose in policy.purposes.items():
        reasons = [
            phrase(Value(f"mail.{mail}.when", template.when))
            for mail, template in policy.mail.items()
            if template.purpose == name
        ]
        label = Value(f"purposes.{name}.label", purpose.label)
        for number, some in enumerate(portions(reasons, AT_ONCE)):
            begins = phrase("we also send it") if number else phrase("we send you mail for ", label)
            said.append(sentence(begins, " when ", listed(some, "or")))
    return [*said, sentence("we send no other mail")]
