"""Give commands mutated files, folders, studies and options; each run must end with one line and the right exit code.

    python -m tests.campaigns.fuzz [--cases N] [--seed S] [--only KIND]

Each case is a command in a forked process of its own. Held against it: the exit code is 0, 1 or 2; with another than 0
standard error has exactly one line, with 0 none; there is no traceback; it takes at most 10 seconds of a processor; and
`ingest` of text has every line below the header in one row or one damaged line, by a count of its own. Printed are the
cases of each kind by exit code, and the seed and the last line of each that failed. The exit code is 1 if one did.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.commands import entry
from pipelines.commands import main as commands
from tests.campaigns.fuzz_cases import KINDS, Case, make_folders

PROCESSOR_SECONDS: Final = 10
SECONDS: Final = 120
"""A command that takes longer by the clock is ended."""

assert commands  # imported once, before all processes are forked


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit code, what it wrote, and its seconds of a processor."""

    code: int
    output: str
    errors: str
    seconds: float

    def wrong(self, command: Sequence[str]) -> str | None:
        """Return what is wrong; None if nothing is."""
        if self.code not in (0, 1, 2):
            return f"exit code {self.code}"
        if "Traceback" in self.output + self.errors or "panicked" in self.errors:
            return "a traceback"
        lines = 1 if self.code and not (command[0] == "verify" and self.code == 1) else 0
        if self.errors.count("\n") != lines:
            return f"{self.errors.count(chr(10))} lines on standard error with exit code {self.code}"
        return f"{self.seconds:.0f} seconds" if self.seconds > PROCESSOR_SECONDS else None


def run(command: Sequence[str], folder: Path) -> Ended:
    """Run a command in a forked process."""
    with (folder / "output").open("w+b") as output, (folder / "errors").open("w+b") as errors:
        process = os.fork()
        if not process:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            sys.argv = ["chart-diffusion", *command]
            try:
                entry.main()
            except SystemExit as ended:
                sys.stdout.flush()
                os._exit(int(ended.code or 0))
        late = time.monotonic() + SECONDS
        while not (ended := os.wait4(process, os.WNOHANG))[0]:
            if time.monotonic() > late:
                os.kill(process, 9)
            time.sleep(0.005)
        texts = [Path(file.name).read_text(encoding="utf-8", errors="replace") for file in (output, errors)]
    return Ended(os.waitstatus_to_exitcode(ended[1]), *texts, ended[2].ru_utime + ended[2].ru_stime)


def tried(case: Case, folder: Path) -> tuple[Ended, str | None]:
    """Run the commands of a case; return how the last one ended, and what is wrong, None if nothing is."""
    for command in case.commands:
        ended = run(command, folder)
        wrong = ended.wrong(command)
        if wrong is None and ended.code == 0 and case.lines is not None:
            wrong = wrongly_counted(folder / "raw", case.lines)
        if wrong or ended.code:
            return ended, f"{wrong}: chart-diffusion {' '.join(command)}" if wrong else None
    return ended, None


def wrongly_counted(raw: Path, lines: int) -> str | None:
    """Return how many lines RAW does not account for, None if it accounts for each once."""
    steps = json.loads((raw / "manifest.json").read_text(encoding="utf-8"))["steps"]
    (source,) = steps["ingest"]["notes"]["sources"]
    found = source["rows"] + source["damaged"]
    return None if found == lines else f"{found} rows and damaged lines of {lines} lines"


def main() -> int:
    """Run the campaign and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=90, help="number of cases")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case; each next case has the next")
    parser.add_argument(
        "--only", choices=KINDS, action="append", help="kind of cases; repeatable (default: all, in turn)"
    )
    options = parser.parse_args()
    kinds = options.only or list(KINDS)
    counts: Counter[tuple[str, int]] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        make_folders(Path(place) / "made", run)
        for number in range(options.cases):
            seed, kind = options.seed + number, kinds[number % len(kinds)]
            with tempfile.TemporaryDirectory(dir=place) as folder:
                case = KINDS[kind](Path(folder), Path(place) / "made", random.Random(seed))
                ended, wrong = tried(case, Path(folder))
            counts[kind, ended.code] += 1
            if wrong:
                failed += 1
                last = (ended.errors.strip().splitlines() or [""])[-1][:400]
                print(f"--only {kind} --seed {seed} --cases 1: {wrong}\n    {last!a}", flush=True)
    for kind in kinds:
        ends = ", ".join(f"{count} with {code}" for (name, code), count in sorted(counts.items()) if name == kind)
        print(f"{kind:10}{ends}")
    print(f"{options.cases} cases, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
