"""What a sentence is about: the part of the policy, where it stands, and what enforces the sentence."""

from dataclasses import dataclass

from pydantic import BaseModel

from crouter.policy.model import Claim, Policy
from crouter.policy.parts.data import DataCategory


@dataclass(frozen=True, slots=True)
class Topic:
    """One part of a policy. `path` is where it stands in policy.yaml, without the short forms that claims may use."""

    policy: Policy
    path: str
    node: object
    enforced_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last name of the path, as `email` in `data.account.fields.email`."""
        return self.path.rpartition(".")[2]

    def at(self, *names: str | int) -> str:
        """The path of something inside, as `data.account` and `label` give `data.account.label`."""
        return ".".join((self.path, *map(str, names)))


def topic_of(policy: Policy, claim: Claim) -> Topic:
    """What the claim is about. The rules have refused claims whose path leads nowhere."""
    node: object = policy
    names: list[str] = []
    for name in claim.about.split("."):
        if isinstance(node, DataCategory) and name in node.fields:
            names.append("fields")
            node = node.fields
        node = _child(node, name)
        names.append(name)
    return Topic(policy, ".".join(names), node, claim.enforced_by)


def _child(node: object, name: str) -> object:
    if isinstance(node, dict):
        assert name in node, f"no {name} in the policy"
        return node[name]
    if isinstance(node, tuple):
        return node[int(name)]
    assert isinstance(node, BaseModel), f"nothing has a name under {name}"
    for attribute, info in type(node).model_fields.items():
        if name == (info.alias or attribute):
            return getattr(node, attribute)
    raise AssertionError(f"no {name} in the policy")
