"""The chaos of tests/chaos, a short one."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))

from chaos import chaos  # noqa: E402


def test_kills_at_random_moments_with_second_processes_between(kafka, gateway, tmp_path):
    chaos(kafka, gateway, tmp_path, int(os.environ.get("STREAMJOB_TEST_KILLS", 30)), seed=7, life_s_max=2.0)
