"""The terms of W3C DPV 2.3 that the JSON-LD export may use, by namespace: classes and properties.

Each was looked up in the vocabulary as published (2.3 of 2026-02-28). A term that is not here fails the test: look it
up at its IRI, which leads to its definition, and add it.
"""

DPV = "https://w3id.org/dpv#"
PERSONAL_DATA = "https://w3id.org/dpv/pd#"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"

CLASSES = {
    DPV: """
        Collect CommunicationManagement Customer DataController DataProcessor DataSource Duration
        EncryptionAtRest EncryptionInTransfer HashMessageAuthenticationCode IdentityAuthentication
        LegalCompliance LoggingPolicy MakeAvailable Marketing Monitor PaymentManagement PrivacyNotice Process
        Prohibition Record RequestedServiceProvision SellDataToThirdParties ServiceProvision
        ServiceUsageAnalytics Share StorageCondition StorageDeletion Store TechnicalMeasure
        TechnicalServiceProvision TemporalDuration Transfer UntilEventDuration
    """,
    PERSONAL_DATA: """
        EmailAddress Identifying Name ServiceConsumptionBehaviour Transaction
    """,
    GDPR: """
        A13 A14 A15 A16 A17 A18 A19 A20 A21 A22 A6-1-a A6-1-b A6-1-c A6-1-d A6-1-e A6-1-f
    """,
}
PROPERTIES = {
    DPV: """
        hasAddress hasContact hasDataController hasDataProcessor hasDataSource hasDataSubject hasDuration
        hasLegalBasis hasName hasNotice hasPersonalData hasPolicy hasProcess hasProcessing hasPurpose hasRight
        hasRule hasStorageCondition hasTechnicalMeasure
    """,
}


def known_classes() -> frozenset[str]:
    """The IRIs of the classes."""
    return frozenset(f"{space}{name}" for space, names in CLASSES.items() for name in names.split())


def known_properties() -> frozenset[str]:
    """The IRIs of the properties."""
    return frozenset(f"{space}{name}" for space, names in PROPERTIES.items() for name in names.split())
