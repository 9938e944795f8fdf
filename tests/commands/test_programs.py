"""`crouter serve` becomes the generated service: its settings, its exit status, its signals."""

import subprocess

from tests.commands.conftest import Project, command


def test_serve_tells_every_missing_setting_at_once(project: Project) -> None:
    done = project.crouter("serve")
    assert done.returncode == 1
    for name in (
        "DATABASE_URL",
        "CROUTER_SEALING_KEYS",
        "CROUTER_LOOKUP_KEYS",
        "CROUTER_RECEIPT_KEYS",
        "ANTHROPIC_API_KEY",
    ):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_traceback(project: Project) -> None:
    for arguments in (("render", "--format", "html"), ("explain",)):
        writing = subprocess.Popen(
            command(*arguments),
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert writing.stdout is not None
        writing.stdout.close()
        _, said = writing.communicate(timeout=30)
        assert (writing.returncode, said) == (1, b"")
