"""Pages load files of ours, and those that npm installed, under addresses that never change what they give."""

from pathlib import Path

import pytest

from crouter.runtime.web.asset_register import AssetRegister


def test_a_file_has_an_address_with_the_digest_of_all_files(tmp_path: Path) -> None:
    register = AssetRegister(tmp_path / "generated")
    assert register.address("crouter.css") == f"/assets/{register.digest}/crouter.css"
    sheet = register.find("crouter.css")
    assert sheet is not None
    assert sheet.media_type == "text/css; charset=utf-8"
    assert register.find("../templates.py") is None


def test_what_is_not_installed_is_left_out_and_changes_the_digest_when_it_is(tmp_path: Path) -> None:
    before = AssetRegister(tmp_path / "generated")
    assert before.find("pico.min.css") is None
    # A page may name it all the same: it works without.
    assert before.address("pico.min.css").endswith("/pico.min.css")
    installed = tmp_path / "node_modules" / "@picocss" / "pico" / "css"
    installed.mkdir(parents=True)
    (installed / "pico.min.css").write_text(":root {}")
    after = AssetRegister(tmp_path / "generated")
    assert after.find("pico.min.css") is not None
    assert after.digest != before.digest


def test_a_file_that_nobody_wrote_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        AssetRegister(tmp_path / "generated").address("missing.js")
