"""Reads price-relevant options by value."""

import pytest

from crouter.runtime.proxy.options import ORDINARY, ServiceOptions, service_options


def test_nothing_named_is_the_ordinary_combination() -> None:
    assert service_options() == ORDINARY == ServiceOptions("standard", "standard", "global")


@pytest.mark.parametrize("geo", ["not_available", "", "global"])
def test_a_model_without_regions_is_served_globally(geo: str) -> None:
    assert service_options(inference_geo=geo) == ORDINARY


def test_what_is_ordinary_is_one_object_by_which_its_price_is_found() -> None:
    assert service_options(service_tier="standard", speed="standard", inference_geo="not_available") is ORDINARY


def test_named_options_are_kept() -> None:
    assert service_options(speed="fast", inference_geo="us") == ServiceOptions("standard", "fast", "us")
