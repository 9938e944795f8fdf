"""Sentences about how long data is kept: `retains`, `deletes`."""

from typing import Final

from crouter.plan.phrases import Phrase, Piece, Sentence, Value, listed, phrase, portions, sentence
from crouter.plan.sentences import vocabulary
from crouter.plan.sentences.topic import Topic
from crouter.plan.words import duration_words, frequency_words, has_determiner, identifier_words
from crouter.plan.worst_case import worst_case
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive, LegalException

LISTED_AT_ONCE: Final = 12


def retains(topic: Topic) -> list[Sentence]:
    """How long categories of data are kept."""
    rule = topic.node
    assert isinstance(rule, KeepWhileActive | KeepFor)
    kept = vocabulary.categories(topic.policy, rule.of)
    if isinstance(rule, KeepWhileActive):
        active = Value(topic.at("keep"), "as long as your account is active")
        return [sentence("we keep ", kept, " ", active)]
    period = Value(topic.at("keep"), duration_words(rule.keep))
    every = Value(topic.at("every"), frequency_words(rule.every))
    return [
        sentence("we keep ", kept, _reasons(topic.policy, rule), " for ", period, *_beginning(topic, rule)),
        sentence("a job that runs ", every, " deletes what is older"),
        _at_worst(topic, rule),
        *_folded(topic),
    ]


def deletes(topic: Topic) -> list[Sentence]:
    """What is gone after an account is deleted, when, and what the law requires to keep."""
    rule = topic.node
    assert isinstance(rule, DeleteAfter)
    within = Value(topic.at("within"), duration_words(rule.within))
    limit = ", except what the law requires us to keep" if rule.exceptions else ""
    return [
        sentence("after you delete your account, its personal data is gone within ", within, limit),
        *_covered(topic.policy, rule),
        sentence("you can take a deletion back for ", Value(topic.at("grace"), duration_words(rule.grace))),
        *(_exception(topic, number, exception) for number, exception in enumerate(rule.exceptions)),
    ]


def _covered(policy: Policy, rule: DeleteAfter) -> list[Sentence]:
    first, *further = portions([vocabulary.category(policy, name) for name in rule.of], LISTED_AT_ONCE)
    return [
        sentence("this covers ", listed(first)),
        *(sentence("it also covers ", listed(more)) for more in further),
    ]


def _reasons(policy: Policy, rule: KeepFor) -> Phrase:
    names = vocabulary.purposes_of(field for name in rule.of for field in policy.data[name].fields.values())
    return phrase(", used for ", vocabulary.purposes(policy, names), ",") if names else ()


def _beginning(topic: Topic, rule: KeepFor) -> list[Piece]:
    # A technical column has no words of its own; then the period begins when the data comes to be.
    fields = topic.policy.data[rule.of[0]].fields
    if rule.from_ not in fields:
        return []
    label = fields[rule.from_].label
    article = "" if has_determiner(label) else "the "
    return [", counted from ", article, Value(f"data.{rule.of[0]}.fields.{rule.from_}.label", label)]


def _at_worst(topic: Topic, rule: KeepFor) -> Sentence:
    """What the interval and the lag of the job, partitions and backups add up to."""
    longest = worst_case(topic.policy, rule)
    path = topic.at("every")
    also: tuple[str, ...] = (topic.at("lag_max"),)
    clauses = [phrase("it is gone at most ", Value(path, duration_words(longest.row), also=also), " after that")]
    if longest.partition is not None:
        also = (path, *also)
        dropped = Value(topic.at("partitions"), duration_words(longest.partition), also=also)
        clauses.append(phrase("the partition that held it is dropped at most ", dropped, " after that"))
        path = topic.at("partitions")
    if longest.backups is not None:
        gone = Value("disclosures.backups", duration_words(longest.backups), also=(path, *also))
        clauses.append(phrase("no backup holds it ", gone, " after that"))
    return sentence(listed(clauses))


def _folded(topic: Topic) -> list[Sentence]:
    said = []
    for name, category in topic.policy.data.items():
        if category.fold is not None and category.fold.along_with == topic.name:
            kind = Value(f"data.{name}.fold.kind", identifier_words(category.fold.kind))
            label = vocabulary.category(topic.policy, name)
            said.append(sentence("at the same age, ", label, " of the kind “", kind, "” are summed into one"))
    return said


def _exception(topic: Topic, number: int, exception: LegalException) -> Sentence:
    inside = ("exceptions", number)
    kept: list[Piece] = [vocabulary.category(topic.policy, exception.of)]
    if exception.kinds:
        kinds = [
            phrase("“", Value(topic.at(*inside, "kinds", n), identifier_words(kind)), "”")
            for n, kind in enumerate(exception.kinds)
        ]
        kept += [" of the kind " if len(exception.kinds) == 1 else " of the kinds ", listed(kinds)]
    period = Value(topic.at(*inside, "keep"), duration_words(exception.keep))
    law = Value(topic.at(*inside, "law"), exception.law, proper=True)
    return sentence("the law requires us to keep ", *kept, " for ", period, ": ", law)
