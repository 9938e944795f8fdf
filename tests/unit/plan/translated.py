"""A policy in a second language: German words for every claim, each with the value that the claim is about."""

import yaml

_VALUES = {"retains": ".keep", "deletes": ".within", "answers": ".deadline"}


def translated(policy: str) -> str:
    """The text of a policy, with a German document beside its own."""
    text = yaml.safe_load(policy)
    text["policy"]["locales"] = {"de": {"title": "Datenschutzerklärung", "description": "eine Schnittstelle"}}
    for section in text["sections"]:
        section["titles"] = {"de": f"{section['title']} (deutsch)"}
        for claim in section["claims"].values():
            claim["words"] = {"de": f"Das gilt: {{{claim['about']}{_VALUES.get(claim['says'], '')}}}."}
    return yaml.safe_dump(text, allow_unicode=True, sort_keys=False)
