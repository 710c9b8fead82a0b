"""Kill ingest, clean and run at random moments; each next run must make the same bytes as an undisturbed one.

    python tests/campaigns/kills.py [KILLS] [SEED]

KILLS (default 30) is the number of kills of each command. Printed is how many struck the command at work, how many came
when it had ended, and how many folders had the same bytes afterwards. The exit code is 1 if one had not.
"""

import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from diffusion.simulation import Simulation, simulate

CHARTS = Simulation(400, 6, 730, seed=5, depth=50, cadence="weekly")
"""Charts that each command is at work on for about a second or longer."""

STUDY = """
[charts]
path = "{charts}"
[graph]
replicates = 20
[survival]
by = ["none"]
"""

TIMES = ("runs.log",)
"""Files with times, which differ between runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A command without its folder, and the name under which it is counted."""

    name: str
    arguments: tuple[str, ...]

    def start(self, out: Path) -> subprocess.Popen[str]:
        """Start the command."""
        command = [sys.executable, "-m", "pipelines", *self.arguments, "--out", str(out)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, out: Path) -> None:
        """Run the command to its end."""
        process = self.start(out)
        said = process.communicate()[1]
        if process.returncode:
            raise RuntimeError(f"{self.name} ended with {process.returncode}: {said}")


def prepared(place: Path) -> tuple[Job, ...]:
    """Write the charts, RAW, CLEAN and the study below `place`, and return the commands to kill."""
    simulate(CHARTS, place / "simulated", layout="raw")
    study = place / "study.toml"
    study.write_text(STUDY.format(charts=(place / "clean").as_posix()), encoding="utf-8")
    ingest = Job("ingest", ("ingest", str(place / "simulated" / "charts")))
    clean = Job("clean", ("clean", str(place / "raw")))
    ingest.finish(place / "raw")
    clean.finish(place / "clean")
    return ingest, clean, Job("run", ("run", str(study)))


def digests(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, hidden ones too, but those with times."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in TIMES
    }


def at_work(job: Job, out: Path) -> subprocess.Popen[str]:
    """Start a command, and return when it has made its folder."""
    process = job.start(out)
    while not out.is_dir() and process.poll() is None:
        time.sleep(0.005)
    return process


def kill_often(job: Job, place: Path, kills: int, draw: random.Random) -> Counter[str]:
    """Kill a command at random moments, run it again each time, and count what happened."""
    process, begin = at_work(job, place / "whole"), time.monotonic()
    process.communicate()
    seconds = time.monotonic() - begin
    expected = digests(place / "whole")
    found: Counter[str] = Counter()
    for number in range(kills):
        out = place / f"killed{number}"
        process = at_work(job, out)
        try:
            process.wait(timeout=seconds * draw.random())
            found["ended before"] += 1
        except subprocess.TimeoutExpired:
            found["killed"] += 1
        process.kill()
        process.communicate()
        job.finish(out)
        found["same bytes" if digests(out) == expected else "OTHER BYTES"] += 1
    return found


def main(kills: int = 30, seed: int = 1) -> int:
    """Kill each command, print the counts, and return the exit code."""
    draw, code = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        for job in prepared(Path(folder)):
            (Path(folder) / f"kills-{job.name}").mkdir()
            found = kill_often(job, Path(folder) / f"kills-{job.name}", kills, draw)
            print(f"{job.name:8} {', '.join(f'{count} {what}' for what, count in found.items())}", flush=True)
            code |= bool(found["OTHER BYTES"])
    return code


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
