"""Declares a whole service: the one object that generated code hands to the runtime."""

from dataclasses import dataclass

from crouter.contract.data import Purpose, Record
from crouter.contract.destinations import Processor
from crouter.contract.mail import Mail
from crouter.contract.observation import LogStream, Metric
from crouter.contract.requests import BY_LAW, Requests
from crouter.contract.retention import Period, RetentionPlan
from crouter.contract.traffic import Proxy
from crouter.contract.web import Web


@dataclass(frozen=True, slots=True)
class Identity:
    """How the service names itself."""

    name: str
    url: str
    description: str
    contact: str


@dataclass(frozen=True, slots=True)
class Security:
    """Technical measures and their parameters."""

    key_encryption: str
    key_lookup: str
    tls_minimum: str
    hsts_seconds: int
    plain_http: str
    keys_active_max: int = 1
    """How many keys of an account may be active at once."""
    key_grace_seconds: int = 0
    """How long a key that was rotated goes on working."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything the runtime needs to know. What is not declared here cannot happen."""

    contract: int
    policy_digest: str
    policy_version: str
    identity: Identity
    purposes: tuple[Purpose, ...]
    records: tuple[Record, ...]
    processors: tuple[Processor, ...]
    proxy: Proxy
    logs: tuple[LogStream, ...]
    metrics: tuple[Metric, ...]
    web: Web
    security: Security
    retention: RetentionPlan
    database_schema: str
    """The PostgreSQL schema that holds the records."""
    mail: Mail | None = None
    """None for a service that sends none."""
    policy_notice: Period | None = None
    """How long before it takes effect a significant version is announced by mail; None where nothing is promised."""
    requests: Requests = BY_LAW
    """How people use their rights."""

    def record(self, name: str) -> Record:
        """The record of that name. Raises KeyError when it is not declared."""
        for record in self.records:
            if record.name == name:
                return record
        raise KeyError(name)

    def processor(self, name: str) -> Processor:
        """The processor of that name. Raises KeyError when it is not declared."""
        for processor in self.processors:
            if processor.name == name:
                return processor
        raise KeyError(name)
