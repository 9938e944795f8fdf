import pytest

from crouter.generate.markdown import markdown_text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words, e.g. 12 months (UTC)", "plain words, e.g. 12 months (UTC)"),
        ("*bold* _it_ `code` ~no~", r"\*bold\* \_it\_ \`code\` \~no\~"),
        ("[link](javascript:x) <b> &amp; a|b", r"\[link\](javascript:x) \<b\> \&amp; a\|b"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", "two lines"),
    ],
)
def test_text_stays_text(text: str, escaped: str) -> None:
    assert markdown_text(text) == escaped
