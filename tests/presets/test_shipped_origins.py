"""What the shipped weights say of themselves agrees with their cards."""

import pytest

from keras_cornernet.presets import PRESETS, find_weights, from_preset, provenance_of

SHIPPED = sorted(name for name, preset in PRESETS.items() if preset.weights)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_state_their_data_and_terms(name):
    path = find_weights(PRESETS[name].weights)
    if path is None:
        pytest.skip("keras_cornernet_weights is not installed")
    data = provenance_of(path).data
    assert data
    card = path.with_suffix(".md").read_text()
    for source in data:
        assert source.terms != "not stated"
        if source.sha256 is not None:  # drawn scenes come from a program
            assert len(source.sha256) == 64 and f"{source.items:,}" in card
            assert source.sha256[:12] in card, f"{name}: the card lacks the hash of {source.name}"


@pytest.mark.parametrize("name", [n for n in SHIPPED if not n.startswith("hourglass")])
def test_shipped_detectors_have_an_operating_point(name):
    path = find_weights(PRESETS[name].weights)
    if path is None:
        pytest.skip("keras_cornernet_weights is not installed")
    model = from_preset(name)
    assert len(model.settings.min_scores) == len(model.categories.names)
