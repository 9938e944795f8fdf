import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import TemplateAssertionError

from crouter.generate.templates import Templates

HOSTILE = "</script><!-- ]]> & \" ' \\ \u2028 {{ view }} {% raw %}"


def drawn(folder: Path, name: str, template: str, **view: object) -> str:
    (folder / name).write_text(template, encoding="utf-8")
    return Templates(folder).render(name, SimpleNamespace(**view))


def test_a_missing_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        drawn(tmp_path, "a.txt.jinja", "{{ view.nothing }}")


@pytest.mark.parametrize("template", ["{{ view.text | safe }}", "{{ view.text | tojson }}"])
def test_a_filter_that_is_not_listed_is_an_error(tmp_path: Path, template: str) -> None:
    with pytest.raises(TemplateAssertionError):
        drawn(tmp_path, "a.txt.jinja", template, text="x")


def test_a_template_sees_one_name(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        drawn(tmp_path, "a.txt.jinja", "{{ range(3) }}")


def test_text_is_never_read_as_a_template(tmp_path: Path) -> None:
    assert drawn(tmp_path, "a.txt.jinja", "{{ view.text }}", text=HOSTILE) == HOSTILE


def test_html_is_escaped_and_other_formats_are_not(tmp_path: Path) -> None:
    assert drawn(tmp_path, "a.html.jinja", "{{ view.text }}", text="<b>&") == "&lt;b&gt;&amp;"
    assert drawn(tmp_path, "a.svg.jinja", "{{ view.text }}", text="<b>&") == "&lt;b&gt;&amp;"
    assert drawn(tmp_path, "a.md.jinja", "{{ view.text }}", text="<b>&") == "<b>&"


@pytest.mark.parametrize("name", ["a.html.jinja", "a.js.jinja"])
def test_json_reads_back_as_itself_and_cannot_end_a_script(tmp_path: Path, name: str) -> None:
    text = drawn(tmp_path, name, "{{ view.value | json }}", value={"b": [HOSTILE, 1, None], "a": True})
    assert json.loads(text) == {"b": [HOSTILE, 1, None], "a": True}
    assert list(json.loads(text)) == ["b", "a"]
    assert not set("<>&\u2028") & set(text)


def test_sql_and_python_come_quoted(tmp_path: Path) -> None:
    template = "{{ view.text | sql_literal }} {{ view.text | sql_identifier }} {{ view.text | python_literal }}"
    assert drawn(tmp_path, "a.sql.jinja", template, text="a'b\"c\\") == 'E\'a\'\'b"c\\\\\' "a\'b""c\\" "a\'b\\"c\\\\"'
