"""A processor receives what it is declared for, for purposes that what it receives has, at hosts of its own."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from crouter.policy.model import Policy
from crouter.policy.parts.data import DataField
from crouter.policy.parts.parties import Processor
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.vendors import Vendor, vendor_of_host, vendors_in

_NO_FIELDS = frozenset({"content", "analytics"})
# Whoever runs a database serves every purpose that its rows have, by holding them.
_TECHNICAL = "TechnicalServiceProvision"


def _fields_received(policy: Policy, received: str) -> list[DataField]:
    name, _, column = received.partition(".")
    category = policy.data.get(name)
    if category is None:
        return []
    return [field for key, field in category.fields.items() if column in ("", key)]


def _uses(policy: Policy, purposes: Iterator[str] | tuple[str, ...]) -> set[str]:
    return {policy.purposes[name].data_use for name in purposes if name in policy.purposes}


def _is_served(wanted: set[str], having: set[str]) -> bool:
    """Whether a use in `wanted` is one in `having`, or a narrower kind of one: fideslang's data uses."""
    return any(one == other or one.startswith(f"{other}.") for one in wanted for other in having)


def _mismatches(policy: Policy) -> Iterator[tuple[str, int, str, bool]]:
    """Processor, index and name of what it receives for no purpose of that data, and whether it is of another kind."""
    for name, processor in policy.processors.items():
        if _only_holds(policy, processor):
            continue
        wanted = _uses(policy, processor.purposes)
        for index, received in enumerate(processor.receives):
            fields = _fields_received(policy, received)
            having = _uses(policy, tuple(purpose for field in fields for purpose in field.purposes))
            shares = any(set(field.purposes) & set(processor.purposes) for field in fields)
            if having and wanted and not shares and not _is_served(wanted, having):
                of_another_kind = not {use.split(".")[0] for use in wanted} & {use.split(".")[0] for use in having}
                yield name, index, received, of_another_kind


def _only_holds(policy: Policy, processor: Processor) -> bool:
    return all(name in policy.purposes and policy.purposes[name].dpv == _TECHNICAL for name in processor.purposes)


def _finding(policy: Policy, name: str, index: int, received: str) -> Finding:
    purposes = ", ".join(policy.processors[name].purposes)
    sentence = f"{name} receives {received} for {purposes}, which is no purpose of {received}"
    hint = f"add the purpose to data.{received}, or take {received} out of `receives`"
    return Finding(("processors", name, "receives", index), sentence, hint)


def _another_kind(policy: Policy) -> Iterator[Finding]:
    return (_finding(policy, *found) for *found, other in _mismatches(policy) if other)  # type: ignore[arg-type]


def _another_purpose(policy: Policy) -> Iterator[Finding]:
    return (_finding(policy, *found) for *found, other in _mismatches(policy) if not other)  # type: ignore[arg-type]


def _purposes_without_data(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        # Content and events have no purposes of their own.
        if _NO_FIELDS & set(processor.receives):
            continue
        fields = [field for received in processor.receives for field in _fields_received(policy, received)]
        having = {purpose for field in fields for purpose in field.purposes}
        for index, purpose in enumerate(processor.purposes):
            if purpose not in policy.purposes or not fields or purpose in having:
                continue
            if not _is_served(_uses(policy, (purpose,)), _uses(policy, tuple(having))):
                sentence = f"{name} is declared for {purpose}, and nothing that it receives serves that"
                hint = "delete the purpose, or name what it receives for it"
                yield Finding(("processors", name, "purposes", index), sentence, hint)


def _hosts(policy: Policy) -> Iterator[Finding]:
    labels = {name: {vendor.name for vendor, _ in vendors_in(p.label)} for name, p in policy.processors.items()}
    for name, processor in policy.processors.items():
        for index, host in enumerate(processor.hosts):
            vendor = vendor_of_host(host)
            # Who is not in the table may well live at the hosts of somebody who is.
            if vendor is not None and vendor.kind != "hosting" and labels[name] and vendor.name not in labels[name]:
                sentence = f"`{host}` of {name} is a host of {vendor.name}"
                hint = f"declare {vendor.name} as a processor, or name a host of {processor.label}"
                yield Finding(("processors", name, "hosts", index), sentence, hint)


def _unnamed_vendors(policy: Policy) -> Iterator[Finding]:
    """A vendor's host below a label that does not name the vendor."""
    for name, processor in policy.processors.items():
        named = {vendor.name for vendor, _ in vendors_in(f"{processor.label} {processor.does}")}
        for host in processor.hosts:
            vendor = vendor_of_host(host)
            known = vendors_in(processor.label) or vendor is None or vendor.name in named
            if vendor is not None and vendor.kind != "hosting" and not known and not _is_short_for(processor, vendor):
                sentence = f"`{host}` is a host of {vendor.name}, and the policy calls the processor {processor.label}"
                yield Finding(("processors", name, "label"), sentence, f"call it {vendor.name}")


def _is_short_for(processor: Processor, vendor: Vendor) -> bool:
    # Some names are ordinary words, so that the table has them with their domain: "Neon.tech".
    return vendor.name.lower().startswith(f"{processor.label.lower()}.")


def _own_hosts(policy: Policy) -> Iterator[Finding]:
    """Our own host belongs to who stands in front of it, and to nobody else."""
    own = urlsplit(policy.service.url).hostname or ""
    edge = policy.security.edge.processor if policy.security.edge else None
    for name, processor in policy.processors.items():
        for index, host in enumerate(processor.hosts):
            is_own = host == own or (host.startswith("*.") and own.endswith(host[1:]))
            if is_own and name != edge:
                sentence = f"`{host}` of {name} is our own host, and {name} is not security.edge.processor"
                yield Finding(("processors", name, "hosts", index), sentence, "name a host of the processor")


RULES = (
    Rule("PX-16", ("data", "processors", "purposes"), _another_kind),
    Rule("PX-18", ("data", "processors", "purposes"), _purposes_without_data),
    Rule("PX-19", ("processors",), _hosts),
    Rule("PX-19", ("processors",), _unnamed_vendors),
    Rule("PX-19", ("processors", "security", "service"), _own_hosts),
)
ADVICE = (Rule("PX-17", ("data", "processors", "purposes"), _another_purpose),)
