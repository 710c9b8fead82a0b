"""A small part of the campaign `tests.campaigns.fuzz`, the same cases each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the campaign forks a process for every case")
def test_mutated_files_and_folders_end_with_one_line() -> None:
    command = [sys.executable, "-m", "tests.campaigns.fuzz", "--cases", "9", "--seed", "7"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 cases, 0 failed" in done.stdout
