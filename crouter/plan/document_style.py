"""The style sheet of the generated documents, and its hash for the Content-Security-Policy.

The documents carry the text in one <style> element; the policy of the pages allows that text and no other.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

_FILE = Path(__file__).with_name("document.css")


def document_style() -> str:
    """The text that stands between `<style>` and `</style>`, to the byte."""
    text = _FILE.read_text(encoding="utf-8")
    assert "<" not in text, "nothing in the style sheet may end its element"
    return text


def style_hash() -> str:
    """The source expression for `style-src`, without its quotes: `sha256-…` (CSP Level 3, section 2.3.1)."""
    return "sha256-" + b64encode(sha256(document_style().encode()).digest()).decode("ascii")
