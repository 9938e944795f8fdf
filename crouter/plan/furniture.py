"""The words around the sentences of the document, in each language that the library can draw it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crouter.policy.types import Locale


@dataclass(frozen=True, slots=True)
class Furniture:
    """Words of ours on the page that are no sentence of the policy."""

    in_effect: str
    of: str
    version: str
    sections: str
    skip: str
    link_to: str
    questions: str
    formats: str
    web_page: str
    plain_text: str
    built_from: str


FURNITURE: Final[Mapping[Locale, Furniture]] = {
    "en": Furniture(
        in_effect="In effect from",
        of="of",
        version="Version",
        sections="Sections",
        skip="Skip to the policy",
        link_to="Link to",
        questions="Questions",
        formats="This policy as",
        web_page="Web page",
        plain_text="Plain text",
        built_from="Built from policy.yaml",
    ),
    "de": Furniture(
        in_effect="Gültig ab",
        of="von",
        version="Version",
        sections="Abschnitte",
        skip="Zum Text",
        link_to="Link zu",
        questions="Fragen",
        formats="Diese Erklärung als",
        web_page="Webseite",
        plain_text="Text",
        built_from="Erzeugt aus policy.yaml",
    ),
    "fr": Furniture(
        in_effect="En vigueur depuis le",
        of="de",
        version="Version",
        sections="Sections",
        skip="Aller au texte",
        link_to="Lien vers",
        questions="Questions",
        formats="Ce texte en",
        web_page="page web",
        plain_text="texte brut",
        built_from="Produit à partir de policy.yaml",
    ),
}
