#!/usr/bin/python3
"""
Jobs whose function asks the kernel for what chance says (hostile_calls.c), inside the real sandbox, run by a runtime with
sanitizers. Whatever the function's process does: the runtime reports nothing, comes to its end in time, and either every row
is in a window or among the dead letters, or the job failed and named the function.

FUZZ_CALLS_SECONDS (30) says how long, FUZZ_CALLS_SEED which seed to begin with; one seed is one job.

    fuzz_calls.py STREAMJOB HOSTILE_CALLS.so
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROWS, WINDOWS = 3000, 6
END_S = 240  # of a job: some starts of the function, each with its deadlines, and a machine under load

JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns: [{{name: v, type: BIGINT}}, {{name: ts, type: TIMESTAMP, format: epochMillis}}]
  functions:
  - {{name: hostile, kind: aggregate, language: native, entrypoint: "hostile.so:hostile", code: {{path: {library}}},
     timeout: 500ms, startTimeout: 10s, memory: 64Mi, onPoisonRow: deadLetter, parameters: {{seed: "{seed}", threads: "{threads}"}}}}
  window: {{tumbling: {{size: 1s}}}}
  groupBy: []
  aggregates: [{{name: c, expr: COUNT(*)}}, {{name: s, expr: SUM(v)}}, {{name: h, expr: hostile(v)}}]
  sinks: [{{file: {{path: out.jsonl}}}}]
  deadLetter: {{file: {{path: letters.jsonl}}}}
"""


def events():
    return [{"v": i * 7 % 1009, "ts": i * 1000 * WINDOWS // ROWS} for i in range(ROWS)]


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wrong_with(done, folder, counts):
    """A sentence, or None."""
    if re.search(r"Sanitizer|runtime error:", done.stderr):
        return "a sanitizer's report"
    if done.returncode not in (0, 1):
        return f"it ended with {done.returncode}"
    for word in ("timeout", "crash", "memory", "protocol"):
        counts[word] += done.stderr.count(f"reason={word}")
    counts["failed"] += done.returncode
    counts["system calls, at least"] += sum(asked_of(done.stderr))
    if done.returncode == 1 and "hostile" not in done.stderr:
        return "it failed and does not name the function"
    rows = lines_of(folder / "out.jsonl")
    # what is read again gives its letter again
    letters = {row["ts"]: row["v"] for row in (json.loads(letter["value"]) for letter in lines_of(folder / "letters.jsonl"))}
    counts["rows left out"] += len(letters)
    counts["windows"] += len(rows)
    for row in rows:
        window = int(row["window_start"][17:19])
        own = [event["v"] for event in events() if event["ts"] // 1000 == window]
        lost = [v for ts, v in letters.items() if ts // 1000 == window]
        if row["c"] != len(own) - len(lost) or row["s"] != sum(own) - sum(lost):
            return f"window {window} has {row['c']} rows and the sum {row['s']}"
        counts["sums of the function that are right"] += row["h"] == row["s"]
    if done.returncode == 0 and len(rows) != WINDOWS:
        return f"{len(rows)} windows"
    if list((folder / "tmp").iterdir()):
        return "a scratch folder was left"
    return None


def asked_of(log):
    """What each process had asked by its last window: the number falls where the next one begins."""
    numbers = [int(number) for number in re.findall(r"asked=(\d+)", log)] + [0]
    return [number for number, following in zip(numbers, numbers[1:]) if following < number]


def live(streamjob, library, seed, counts):
    with tempfile.TemporaryDirectory(prefix="streamjob-fuzz-") as place:
        folder = pathlib.Path(place)
        (folder / "tmp").mkdir()
        own = folder / "lib" / "hostile.so"
        own.parent.mkdir()
        shutil.copy(library, own)
        (folder / "job.yaml").write_text(JOB.format(seed=seed, threads=seed % 3, library=own))
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events()))
        env = {**os.environ, "TMPDIR": str(folder / "tmp")}
        command = [streamjob, "run", "job.yaml", "--input", "events.jsonl", "--clock", "ts"]
        try:
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", timeout=END_S)
        except subprocess.TimeoutExpired as hang:
            sys.exit(f"seed {seed}: no end within {END_S} s\n{(hang.stderr or b'').decode(errors='replace')[-4000:]}")
        why = wrong_with(done, folder, counts)
        if why:
            sys.exit(f"seed {seed}: {why}\n{done.stderr[-8000:]}")


def main():
    streamjob, library = (os.path.abspath(path) for path in sys.argv[1:3])
    seed = int(os.environ.get("FUZZ_CALLS_SEED", int(time.time()) * 1000))
    end = time.monotonic() + float(os.environ.get("FUZZ_CALLS_SECONDS", 30))
    counts = collections.Counter()
    print(f"the seeds begin with FUZZ_CALLS_SEED={seed}", flush=True)
    while time.monotonic() < end or not counts["jobs"]:
        live(streamjob, library, seed, counts)
        counts["jobs"] += 1
        seed += 1
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    print("1 passed, 0 failed")


main()
