"""Names a policy by what it says: comments and layout of the file do not count."""

import json
from hashlib import sha256

from crouter.policy.model import Policy


def policy_digest(policy: Policy) -> str:
    """The SHA-256 of the policy's canonical JSON, 64 hexadecimal digits.

    The order of entries in a mapping counts, because it is the order of columns, sections and routes. A setting that
    is left out and one that is written with its default value are the same. A waiver
    promises nothing and does not count.
    """
    said = policy.model_dump(mode="json", by_alias=True, exclude={"waivers"})
    if policy.disclosures is None:
        del said["disclosures"]
    for processor in said["processors"].values():
        # As with disclosures: what an older policy could not say does not change its name.
        if processor["sees"] is None:
            del processor["sees"]
    canonical = json.dumps(said, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return sha256(canonical.encode("ascii")).hexdigest()
