"""What a law wants said beyond what the service does, and what somebody accepts: `disclosures`, `waivers`.

Everything here is a person's word: nothing is generated from it but the records. `none` is a whole answer.
"""

from datetime import date
from typing import Literal

from crouter.policy.parts.base import Part
from crouter.policy.types import Duration, RuleCode, Text


class Disclosures(Part):
    """Answers to what a law asks. What is left out is unsaid and listed by `crouter lint`; `none` is an answer."""

    transfers: Literal["none"] | tuple[Text, ...] | None = None
    """Transfers to third countries, each with receiver, country and safeguard (GDPR Article 13(1)(f))."""
    processing_agreements: Literal["none"] | tuple[Text, ...] | None = None
    """The agreements with processors (GDPR Article 28(3))."""
    data_protection_officer: Text | None = None
    """Who it is and how to reach them (GDPR Article 13(1)(b))."""
    representative: Text | None = None
    """The representative in the Union or the United Kingdom (GDPR Article 27)."""
    joint_controller: Text | None = None
    """Who else decides (GDPR Article 26)."""
    legitimate_interests: Text | None = None
    """The interests pursued, where they are a legal basis (GDPR Article 13(1)(d))."""
    supervisory_authority: Text | None = None
    """The authority that is competent (GDPR Article 77)."""
    complaint: Text | None = None
    """How to complain, to us and to an authority (GDPR Article 13(2)(d))."""
    consent_withdrawal: Text | None = None
    """How consent is withdrawn (GDPR Article 7(3))."""
    required_data: Text | None = None
    """What has to be provided, and what happens if it is not (GDPR Article 13(2)(e))."""
    automated_decisions: Text | None = None
    """Decisions without a person, their logic and consequences (GDPR Article 22, 13(2)(f))."""
    children: Text | None = None
    """From which age the service may be used, or how consent of parents is obtained (GDPR Article 8)."""
    sensitive_data: Text | None = None
    """Sensitive personal information and what it is used for (CCPA § 1798.121)."""
    opt_out: Text | None = None
    """How to opt out of a sale or of sharing (CCPA § 1798.120)."""
    non_discrimination: Text | None = None
    """That nobody is treated worse for using a right (CCPA § 1798.125)."""
    authorized_agent: Text | None = None
    """How an agent makes a request, and how requests are verified (CCPA § 1798.130)."""
    backups: Literal["none"] | Duration | None = None
    """The greatest age of a backup."""


class Waiver(Part):
    """A finding that somebody accepts for a time."""

    rule: RuleCode
    """The code of the rule, as in PX-21."""
    place: Text
    """The policy path of the finding, or one around it, as in `sources.google_sign_in`."""
    reason: Text
    """Why the finding is accepted."""
    owner: Text
    """Who answers for that."""
    expires: date
    """The last day on which it is accepted."""
