"""The mechanisms of the library that can enforce a sentence of the policy. Holds names only: nothing is imported.

`module` is the module or package that acts, or the generated family where the output itself is what enforces.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Something that makes a sentence true, whatever the rest of the service does."""

    module: str
    does: str
    probe: str = ""
    """What shows it on a running service, as an operator would do it; empty where only a test can."""


MECHANISMS = {
    "declared_columns": Mechanism(
        "crouter.runtime.database",
        "A row is written with declared columns only, and the schema has no column that is not declared.",
    ),
    "usage_record": Mechanism(
        "crouter.runtime.usage",
        "One upstream attempt leaves one record, with the upstream's own counts.",
    ),
    "ownership_record": Mechanism(
        "crouter.runtime.batches",
        "A message batch is shown to the account that made it, and to nobody else.",
    ),
    "declared_log_fields": Mechanism(
        "crouter.runtime.logs",
        "A log line keeps declared fields only, and none of their kinds can hold free text.",
    ),
    "usage_tap": Mechanism(
        "crouter.runtime.proxy.events",
        "Of an answer that passes, usage figures are read and nothing else.",
    ),
    "no_core_dumps": Mechanism(
        "crouter.runtime.process",
        "A crash leaves no image of the memory, and no traceback with local values.",
    ),
    "streamed_bodies": Mechanism(
        "crouter.runtime.front.relay",
        "Bodies are relayed as they come, and their buffers are dropped with the request.",
    ),
    "header_filter": Mechanism(
        "crouter.runtime.proxy.headers",
        "Declared headers are taken out before anything is forwarded.",
    ),
    "egress_guard": Mechanism(
        "crouter.runtime.egress",
        "A connection is opened to the hosts of declared processors only.",
    ),
    "identity_adapter": Mechanism(
        "crouter.runtime.identity.supabase",
        "Of what a sign-in tells, the declared fields are taken, and only with a verified e-mail address.",
    ),
    "supabase_auth_step": Mechanism(
        "generated.database",
        "What Supabase Auth would keep beyond the policy is taken out before it is written.",
        probe="SELECT count(ip), count(user_agent) FROM auth.sessions shows 0 and 0",
    ),
    "row_level_security": Mechanism(
        "generated.database",
        "The database shows an account its own rows only.",
    ),
    "edge_worker": Mechanism(
        "generated.edge",
        "The edge Worker takes identifying headers out and hands requests on.",
        probe="a request that does not come through the edge is refused",
    ),
    "sealed_keys": Mechanism(
        "crouter.runtime.keys",
        "API keys are stored encrypted, and found by a keyed hash.",
    ),
    "https_only": Mechanism(
        "crouter.runtime.server.transport",
        "Plain HTTP is turned away, and browsers are told to use HTTPS only.",
        probe="curl -sI over https names strict-transport-security; over plain http the service refuses",
    ),
    "retention_job": Mechanism(
        "crouter.runtime.retention",
        "What has reached its end is removed on schedule, with evidence of each run.",
        probe="crouter retention check",
    ),
    "cookie_register": Mechanism(
        "crouter.runtime.web.cookies",
        "A cookie that is not declared is not set.",
    ),
    "content_security_policy": Mechanism(
        "crouter.runtime.web.headers",
        "A page can load from and send to declared processors only.",
        probe="curl -sI of any page shows content-security-policy",
    ),
    "purpose_bound_reads": Mechanism(
        "crouter.runtime.purposes",
        "A field about a person is read for a purpose that is declared for it, or not at all.",
    ),
    "rate_limits": Mechanism(
        "crouter.runtime.limits",
        "Requests are counted for each API key, against the declared limits and for nothing else.",
    ),
    "declared_metrics": Mechanism(
        "crouter.runtime.metrics",
        "Declared counters and gauges have declared labels only, and no label can hold free text.",
        probe="/metrics on this machine lists every counter, gauge and label",
    ),
    "consent_configuration": Mechanism(
        "generated.web",
        "Analytics is configured with its consent mode, and with declared events only.",
        probe="/.well-known/gpc.json, where Global Privacy Control is honoured",
    ),
}
