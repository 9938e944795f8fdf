"""Tables as Markdown."""

from bench.tables import table


def test_figures_stand_to_the_right_and_names_to_the_left() -> None:
    assert table(["", "answers/s"], [["nginx", "20,000"], ["Crouter", "800"]]) == (
        "|         | answers/s |\n"
        "| ------- | --------: |\n"
        "| nginx   |    20,000 |\n"
        "| Crouter |       800 |\n"
    )  # fmt: skip
