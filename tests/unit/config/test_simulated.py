"""What is known of the simulator before it is asked."""

from pathlib import Path

from worker.config.addresses import SIMULATOR_KEY, assumed_turnaround_s, is_simulated
from worker.config.settings import Settings


def test_a_simulated_batch_is_not_taken_to_need_an_hour(tmp_path: Path) -> None:
    """It answers in seconds: a run without a deadline was said to take an hour."""
    key = {"anthropic_base_url": "http://127.0.0.1:1", "anthropic_api_key": SIMULATOR_KEY}
    real = Settings.model_validate({**key, "anthropic_api_key": "sk-test"})
    assert assumed_turnaround_s(Settings.model_validate(key)) == 10
    assert assumed_turnaround_s(real) == 3_600
    quick = {**key, "batch": {"turnaround_s": 2}}
    assert assumed_turnaround_s(Settings.model_validate(quick)) == 2
    nothing = Settings.model_validate({"home": tmp_path})
    assert not is_simulated(nothing)
