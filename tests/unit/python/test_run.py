"""The runner of the suites (tests/run.py), on steps of one line."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = """
import pathlib, sys
sys.path.insert(0, {tests!r})
sys.dont_write_bytecode = True
import run
from run import BURN, WAIT, Step, provide
run.LOGS = pathlib.Path({folder!r})
run.LINGER_SECONDS_MAX = 0.3
run.END_SECONDS_MAX = 2
run.STEP_SECONDS_MAX = {seconds}
run.STEPS = [{steps}]
sys.exit(run.main())
"""


@pytest.fixture
def start(tmp_path):
    def start(steps, *suites, seconds=120):
        program = PROGRAM.format(tests=str(ROOT / "tests"), folder=str(tmp_path), steps=steps, seconds=seconds)
        return subprocess.Popen([sys.executable, "-c", program, *suites], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={key: value for key, value in os.environ.items() if key != "ONLY"})

    return start


@pytest.fixture
def run(start):
    def run(steps, *suites, seconds=120):
        process = start(steps, *suites, seconds=seconds)
        return process.communicate(timeout=240)[0], process.returncode

    return run


def alive(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_is_whole_and_the_seconds_stand_at_the_end(run):
    text, code = run("""
        Step("slow", WAIT, "echo slow 1; sleep 3; echo slow 2"), Step("quick", WAIT, "sleep .2; echo quick"), provide("made", "echo unseen")
    """)
    assert code == 0
    assert re.search(r"== quick\nquick\n== quick: \d+ s", text) and "== slow\nslow 1\nslow 2\n== slow: " in text
    assert "unseen" not in text and "made" not in text, "nothing needs it"
    assert [line.split()[0] for line in text.splitlines() if " passed  " in line] == ["slow", "quick"]
    assert text.endswith("suites: 2 passed, 0 failed\n")


def test_a_failure_fails_the_run_and_leaves_out_what_needs_it(run):
    text, code = run("""
        provide("made", "echo why; false"), Step("needs", WAIT, "echo ran", ("made",)), Step("good", BURN, "echo good"), Step("bad", BURN, "exit 3")
    """)
    assert code == 1
    assert "== made\nwhy\n" in text and "is left out: made failed" in text and "ran\n" not in text
    assert "FAILED: needs bad\nsuites: 1 passed, 2 failed\n" in text


def test_what_fails_beside_others_is_tried_once_more_alone(run, tmp_path):
    mark = tmp_path / "tried"
    text, code = run(f'Step("late", WAIT, "test -e {mark} || {{ touch {mark}; false; }}"), Step("other", WAIT, "sleep .3")')
    assert code == 0 and "== late is tried once more, alone" in text
    assert "passed alone, after they had failed beside others: late\nsuites: 2 passed, 0 failed\n" in text
    text, code = run(f'Step("wrong", WAIT, "echo x >>{mark}; false"), Step("burns", BURN, "echo x >>{mark}; false")')
    assert code == 1 and text.endswith("FAILED: wrong burns\nsuites: 0 passed, 2 failed\n")
    assert mark.read_text().count("x") == 3, "a second time is the last, and only for what waits for servers"


def test_named_suites_and_what_they_need(run):
    steps = 'provide("made", "touch $MADE"), Step("one", WAIT, "echo one", ("made",)), Step("two", WAIT, "echo two")'
    text, code = run(steps, "two")
    assert code == 0 and "== one" not in text and "suites: 1 passed" in text
    text, code = run(steps, "three")
    assert code != 0 and "no suite is called three; there are one, two" in text


def test_one_after_the_other_where_cores_burn(run, tmp_path):
    step = f"mkdir {tmp_path}/busy && sleep .2 && rmdir {tmp_path}/busy"
    assert run(f'Step("a", BURN, {step!r}), Step("b", BURN, {step!r})')[1] == 0


def test_those_that_wait_run_at_once_as_far_as_their_shares_have_room(run, tmp_path):
    """Beside one that burns three usual ones have, or four of which two take little."""
    for shares, most in ((", share=.1", ", share=.1", "", ""), 4), (("", "", "", ""), 3):
        running, counts = tmp_path / f"running{most}", tmp_path / f"counts{most}"
        running.mkdir()
        step = f"touch {running}/$$; sleep 2; ls {running} | wc -l >>{counts}; rm {running}/$$"
        steps = ", ".join(f'Step("{name}", WAIT, {step!r}{share})' for name, share in zip("abcd", shares))
        text, code = run(f'Step("burns", BURN, "sleep 5"), {steps}')
        assert code == 0, text
        assert max(map(int, counts.read_text().split())) == most


def test_what_a_step_leaves_running_ends_with_it(run, tmp_path):
    text, code = run(f"""Step("leaves", WAIT, "setsid sh -c 'trap : TERM; echo $$ >{tmp_path}/id; while :; do sleep .1; done' & sleep .3")""")
    assert code == 0 and "was left running, and is ended: sh -c trap" in text
    assert not alive(int((tmp_path / "id").read_text()))


def test_a_step_that_hangs_is_ended(run):
    text, code = run('Step("hangs", WAIT, "echo begun; sleep 100")', seconds=2)
    assert code == 1 and "begun\n" in text and "is ended: it took longer than 2 s" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_runs_ends_with_the_run(start, tmp_path, number):
    process = start(f'Step("runs", WAIT, "echo $$ >{tmp_path}/id; sleep 100 & wait")')
    while not (tmp_path / "id").exists() or not (tmp_path / "id").read_text():
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(20)
    end = time.monotonic() + 20
    while alive(int((tmp_path / "id").read_text())):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_only_what_failed_is_tried_once_more(run, tmp_path):
    """The first test always runs once, the second fails once; then it is alone."""
    (tmp_path / "test_it.py").write_text(f"""
import pathlib
def count(name):
    path = pathlib.Path({str(tmp_path)!r}) / name
    path.write_text((path.read_text() if path.exists() else "") + "x")
    return len(path.read_text())
def test_first(): count("first")
def test_second(): assert count("second") == 2
""")
    pytest_ = f"{sys.executable} -m pytest -q $STREAMJOB_PYTEST {tmp_path}/test_it.py"
    text, code = run(f'Step("a", WAIT, "{pytest_}"), Step("b", WAIT, "true")')
    assert code == 0 and "passed alone, after they had failed beside others: a" in text
    assert ((tmp_path / "first").read_text(), (tmp_path / "second").read_text()) == ("x", "xx")
    for name in "first", "second":
        (tmp_path / name).unlink()
    text, code = run(f'Step("a", WAIT, "{pytest_} --maxfail=1")')
    assert code == 0 and ((tmp_path / "first").read_text(), (tmp_path / "second").read_text()) == ("xx", "xx")


def test_two_runs_in_one_tree(start, run, tmp_path):
    first = start(f'Step("first", WAIT, "touch {tmp_path}/begun; sleep 1")')
    while not (tmp_path / "begun").exists():
        time.sleep(0.02)
    text, code = run('Step("second", WAIT, "echo second")')
    assert code != 0 and "another run is under way in this tree" in text
    assert first.communicate(timeout=20) and first.returncode == 0
