"""Sentences about what data is used for: `uses`. Of the address that mails go to, also which mails there are."""

from crouter.plan.phrases import Sentence, Value, listed, phrase, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.policy.addresses import address_of
from crouter.policy.parts.data import DataCategory, DataField


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
    """Every mail that is sent, by what it is for."""
    policy = topic.policy
    said = []
    for name, purpose in policy.purposes.items():
        reasons = [
            phrase("when ", Value(f"mail.{mail}.when", template.when))
            for mail, template in policy.mail.items()
            if template.purpose == name
        ]
        if reasons:
            label = Value(f"purposes.{name}.label", purpose.label)
            said.append(sentence("we send you mail for ", label, " ", listed(reasons, "or")))
    return [*said, sentence("we send no other mail")]
