"""Peak memory of a climb on N pictures, against their decoded size plus 1 GB; Linux.

    python benchmarks/picture_memory.py [--pictures 2000,4000] [--limit-mb N]

A folder of drawn JPEG files is climbed in a process of its own, which is looked at every 20 ms.
"peak" is all resident memory, pages of the decoded set on disk included, which the system may take
back; "own" is what it may not (RssAnon). Goal: peak below decoded size + 1 GB. That "own" grows by
less than the decoded size from one N to the next shows that a folder larger than memory streams.

With --limit-mb the climb runs in a control group (cgroup, needs the right to make one) whose
memory ends there: it must finish with more decoded pictures than that.

Measured figures, with machine, versions and spread: docs/log.md, "Pictures".
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import machine, versions

MB = 1 << 20
SIDE = 64  # pixels that a rung of convolutions brings large pictures to
ROOT = Path("/sys/fs/cgroup")
CHILD = """
import os, sys
group = sys.argv[4]
if group:
    open(os.path.join(group, "cgroup.procs"), "w").write(str(os.getpid()))
from neuroscope.verbs.train import TrainOptions, train
train(sys.argv[1], options=TrainOptions(rungs=("majority", "neuron", "dense", "convolution"),
      epochs=1, budget=float(sys.argv[3]), out=sys.argv[2]))
"""


def draw(folder: Path, count: int) -> None:
    """Write pictures of two classes, which differ in where they are bright, as JPEG files."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(count):
        name = ("left", "right")[number % 2]
        coarse = rng.integers(0, 200, (8, 8, 3), dtype=np.uint8)
        coarse[:, 4 * (number % 2) : 4 * (number % 2) + 4] += 55
        place = folder / name / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((128, 128)).save(place, quality=80)


def control_group(limit_mb: int) -> Path:
    """Make a control group whose memory ends at a limit; or leave with a word."""
    newer = (ROOT / "cgroup.controllers").exists()
    group = (ROOT if newer else ROOT / "memory") / f"neuroscope-{time.time_ns()}"
    limit = "memory.max" if newer else "memory.limit_in_bytes"
    try:
        group.mkdir()
        with (group / limit).open("r+") as file:  # a group that is none has no such file
            file.write(str(limit_mb * MB))
    except OSError as error:
        sys.exit(f"no control group can be made here ({error}); leave --limit-mb out")
    return group


def watched(folder: Path, out: str, seconds: float, group: Path | None) -> tuple[float, float, int]:
    """Climb in a process; returns peak and own memory in bytes, and the exit status."""
    call = [sys.executable, "-c", CHILD, str(folder), out, str(seconds), str(group or "")]
    process = subprocess.Popen(call)
    peak = own = 0.0
    while process.poll() is None:
        try:
            said = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        found = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        peak = max(peak, 1024 * float(found.get("VmRSS", "0 kB").split()[0]))
        own = max(own, 1024 * float(found.get("RssAnon", "0 kB").split()[0]))
        time.sleep(0.02)
    return peak, own, process.wait()


def main() -> None:
    """Climb each number of pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", default="5000,20000", help="numbers, with commas")
    parser.add_argument("--seconds", type=float, default=120, help="budget of each climb")
    parser.add_argument("--limit-mb", type=int, help="memory that the climb may use at most")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\none run each\n")
    print(f"{'pictures':>10}{'decoded MB':>12}{'peak MB':>10}{'own MB':>10}  goal")
    before: tuple[float, float] | None = None
    for count in map(int, arguments.pictures.split(",")):
        decoded = count * SIDE**2 * 3
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
            draw(Path(place, "drawn"), count)
            group = control_group(arguments.limit_mb) if arguments.limit_mb else None
            peak, own, status = watched(
                Path(place, "drawn"), str(Path(place, "runs")), arguments.seconds, group
            )
            if group is not None:
                group.rmdir()
        word = "met" if peak <= decoded + 1024 * MB else "MISSED"
        word = f"FAILED ({status})" if status else word
        print(f"{count:>10,}{decoded / MB:>12.0f}{peak / MB:>10.0f}{own / MB:>10.0f}  {word}",
              flush=True)  # fmt: skip
        if before is not None:
            grown, more = own - before[0], decoded - before[1]
            print(f"own memory grew by {grown / MB:.0f} MB for {more / MB:.0f} MB more decoded: "
                  f"{'streams' if grown < more else 'DOES NOT STREAM'}")  # fmt: skip
        before = own, decoded


if __name__ == "__main__":
    main()
