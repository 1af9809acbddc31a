#!/usr/bin/python3
"""Everything: what `make test` runs. run.py [SUITE…]; without a name, and without names in ONLY, all suites.

Steps run side by side, each when what it needs is there: those that burn the cores one after the other, those that wait for
servers a few at a time, and what takes long to provide (the cluster's programs, the images) beside them. A step's output is
kept in build/test/STEP.log. A suite that waits for servers and fails beside others, which may have taken its time, is tried once
more, alone, at the end, and that is said: what is wrong fails again. A suite's is printed whole when it ends, what provides something is printed where it fails.
Processes that a step leaves running are ended with it. At the end stands what each took; the last line counts the suites.

Suites take their numbers of turns from the environment where they are set: STREAMJOB_TEST_KILLS, STREAMJOB_TEST_ROWS,
UDF_RESTARTS, UDF_WINDOWS, RUNS (of the fuzzer), FUZZ_WORKER_SECONDS.
"""

import ctypes
import dataclasses
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"

STEP_SECONDS_MAX = 2400
AGAIN_SECONDS_MAX = 3000  # later in a run nothing is tried once more
END_SECONDS_MAX = 20  # for a step that is told to end
LINGER_SECONDS_MAX = 15  # for a process that a step left behind, until it is told to end, and again until it is killed
BURN, WAIT, PROVIDE = "burn", "wait", "provide"
ROOM = {BURN: 1, WAIT: 1.3, PROVIDE: 2}  # for the shares of those that run at once
ROOM_ALONE = 1.6  # for those that wait, when nothing burns or provides any more
SHARES = {BURN: 1, WAIT: 0.4, PROVIDE: 1}  # one that waits takes so much of a core; where it takes less, that is said
NICENESS = {BURN: 10, WAIT: 0, PROVIDE: 10}  # who waits for servers has deadlines


@dataclasses.dataclass
class Step:
    name: str
    kind: str
    command: str
    needs: tuple = ()
    suite: bool = True
    share: float = 0.0  # of its kind's room; SHARES has the usual ones
    state: str = "waiting"  # then running; passed, failed or left out
    process: int = 0
    begin: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    again: bool = False  # it has failed beside others
    all_ran: bool = False  # then: no test was left out for the failures of others

    def __post_init__(self):
        self.share = self.share or SHARES[self.kind]

    @property
    def log(self):
        return LOGS / f"{self.name}.log"


def provide(name, command, needs=(), kind=PROVIDE):
    return Step(name, kind, command, needs, suite=False)


ADDRESS, THREAD = "SAN=address,undefined", "SAN=thread"
MAKE = f"make -s -j{os.cpu_count() or 1}"
# The operator on a real API server, without a kubelet; run.sh leaves it out of a whole run under a sanitizer too.
OPERATOR = "tests/integration/run.sh test_operator.py"
OPERATOR_PLAIN = f"{OPERATOR} test_operators.py test_operator_children.py test_operator_faults.py test_operator_life.py test_operator_restart.py test_operator_tenants.py test_docs.py"
# The images' librdkafka: what differs in it from this machine's, and no more than some four minutes.
TRIXIE = (
    "STREAMJOB=$PWD/build/trixie/run/streamjob STREAMJOB_TOPIC_IDS=1 tests/integration/run.sh test_topic_anew.py test_owner.py test_owner_steps.py test_life.py"
    " test_log.py test_kafka_faults.py test_kafka_sink.py -k 'not ten_live and not forgets and not at_the_start and not away_and_back and not hangs_for_long"
    " and not many_partitions and not where_it_says_so and (not owner_steps or ended)'"
)
LEAKS = (
    "UDF_RESTARTS=${UDF_RESTARTS:-1000} UDF_WINDOWS=${UDF_WINDOWS:-10000} UDF_DEBUG_WORKER=build/release/debug/streamjob-worker"
    " build/release/tests/unit/runtime/udf/leak_test"
)

STEPS = [  # of those that can begin, the first of its kind does
    provide("programs", f"{MAKE} test-programs", kind=BURN),
    provide("programs-address", f"{MAKE} {ADDRESS} test-programs", ("programs",), kind=BURN),
    provide("programs-thread", f"{MAKE} {THREAD} test-programs", ("programs",), kind=BURN),
    provide("kafka", "cd tests/integration && /usr/bin/python3 -c 'from servers.broker import kafka_jars; kafka_jars()'"),
    provide("kubernetes", "tests/cluster/build.sh"),
    provide("images", "tests/cluster/images.sh pause runtime operator example-package example-virtualenv"),
    provide("cluster-programs", "for name in kstatus argocd prometheus; do tests/e2e/program.sh $name || exit; done", ("kubernetes",)),
    provide("trixie-root", "tests/check/debian_release.sh trixie provide", ("images",)),
    provide("trixie-programs", "tests/check/debian_release.sh trixie programs", ("trixie-root",), kind=BURN),
    Step("cluster", WAIT, "tests/e2e/run.sh", ("programs", "kafka", "kubernetes", "cluster-programs", "images"), share=0.3),
    Step("integration", WAIT, "tests/integration/run.sh --ignore-glob='test_operator*.py' --ignore=test_docs.py", ("programs", "kafka"), share=0.3),
    Step("integration-trixie", WAIT, TRIXIE, ("trixie-programs", "kafka"), share=0.2),
    Step("integration-thread", WAIT, f"{THREAD} tests/integration/run.sh", ("programs-thread", "kafka"), share=0.3),
    Step("integration-address", WAIT, f"{ADDRESS} tests/integration/run.sh", ("programs-address", "kafka"), share=0.3),
    Step("faults-thread", WAIT, f"{THREAD} tests/faults/run.sh", ("programs-thread", "kubernetes")),
    Step("faults-address", WAIT, f"{ADDRESS} tests/faults/run.sh", ("programs-address", "kubernetes")),
    Step("operator-thread", WAIT, f"{THREAD} {OPERATOR}", ("programs-thread", "kubernetes")),
    Step("operator-address", WAIT, f"{ADDRESS} {OPERATOR}", ("programs-address", "kubernetes")),
    Step("operator", WAIT, OPERATOR_PLAIN, ("programs", "kubernetes")),
    Step("cli", WAIT, "tests/cli/run.sh", ("programs",)),
    Step("check", BURN, f"{MAKE} check", ("programs",)),
    Step("unit-address", BURN, f"{MAKE} {ADDRESS} unit", ("programs-address",)),
    Step("unit-thread", BURN, f"{MAKE} {THREAD} unit", ("programs-thread",)),
    Step("leaks", BURN, LEAKS, ("programs",)),
    Step("fuzz", BURN, "make -s fuzz"),
    Step("fuzz-worker", BURN, "FUZZ_WORKER_SECONDS=${FUZZ_WORKER_SECONDS:-30} make -s fuzz-worker", ("programs-address",)),
    Step("fuzz-calls", WAIT, "FUZZ_CALLS_SECONDS=${FUZZ_CALLS_SECONDS:-30} make -s fuzz-calls", ("programs", "programs-address")),
    Step("arm64", BURN, "tests/check/arm64.sh"),
    Step("trixie", BURN, "tests/check/debian_release.sh trixie", ("trixie-programs",)),
]


# A step's own process, which outlives nothing and leaves nothing.


def children():
    """Those of this process that have not ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return {int(child) for task in pathlib.Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()}


def end_what_is_left():
    """What a step left running has become a child of this process, also where it detached itself."""
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        end, told = time.monotonic() + LINGER_SECONDS_MAX, set()
        while (left := children()) and time.monotonic() < end:
            for child in left - told:
                os.kill(child, number)
                if number == signal.SIGTERM:
                    command = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                    os.write(1, b"was left running, and is ended: " + command[:200] + b"\n")
            told |= left
            time.sleep(0.05)


class Ended(Exception):
    pass


def told_to_end(number, _):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(0)
    raise Ended(f"it took longer than {STEP_SECONDS_MAX} s" if number == signal.SIGALRM else "so is the run")


def pytest_options(step):
    """What the suites' run.sh hand to pytest: where it remembers the tests that failed, and to run these alone."""
    cache = LOGS / f"{step.name}.pytest"
    if not step.again:
        shutil.rmtree(cache, ignore_errors=True)
    return {"STREAMJOB_PYTEST": f"-o cache_dir={cache}" + (" --lf" if step.all_ran else "")}


def as_found():
    """In the step's process: signals as a shell expects them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def supervise(step):
    """The step's exit code. It is told to end by SIGTERM: of the runner, or of the kernel where the runner was killed."""
    os.nice(NICENESS[step.kind])
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    with open(step.log, "wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until it is known whom to end
    process = subprocess.Popen(["bash", "-c", step.command], cwd=ROOT, env={**os.environ, **pytest_options(step)}, stdin=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=as_found)
    try:
        signal.signal(signal.SIGTERM, told_to_end)
        signal.signal(signal.SIGALRM, told_to_end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.alarm(STEP_SECONDS_MAX)
        code = process.wait()
        signal.alarm(0)
    except Ended as why:
        os.write(1, f"\nis ended: {why}\n".encode())
        os.killpg(process.pid, signal.SIGINT)  # pytest ends its servers then
        try:
            process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
        code = 1
    end_what_is_left()
    return code


# The runner.


class Run:
    def __init__(self, wanted):
        names = {step.name for step in STEPS if step.suite}
        if wanted - names:
            sys.exit(f"run.py: no suite is called {', '.join(sorted(wanted - names))}; there are {', '.join(sorted(names))}")
        self.steps = {step.name: step for step in STEPS if step.name in self.with_needs(wanted or names)}
        self.began = time.monotonic()

    @staticmethod
    def with_needs(names):
        by_name, found = {step.name: step for step in STEPS}, set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting += by_name[name].needs
        return found

    def start(self, step):
        step.state, step.begin = "running", time.monotonic()
        step.process = os.fork()
        if not step.process:
            code = 1
            try:
                code = supervise(step)
            finally:
                os._exit(code if 0 <= code < 128 else 1)

    def begin_what_can(self):
        for step in self.steps.values():
            if step.state != "waiting":
                continue
            failed = [name for name in step.needs if self.steps[name].state in ("failed", "left out")]
            if failed:
                step.state = "left out"
                self.tell(step, f"is left out: {', '.join(failed)} failed\n")
            elif step.again:
                if not self.running() and not any(other.state == "waiting" and not other.again for other in self.steps.values()):
                    self.start(step)
            elif all(self.steps[name].state == "passed" for name in step.needs) and self.has_room(step):
                self.start(step)

    def has_room(self, step):
        busy = any(other.state in ("waiting", "running") and other.kind != WAIT for other in self.steps.values())
        room = ROOM_ALONE if step.kind == WAIT and not busy else ROOM[step.kind]
        return step.share + sum(other.share for other in self.running() if other.kind == step.kind) <= room + 0.001

    def running(self):
        return [step for step in self.steps.values() if step.state == "running"]

    def tell(self, step, text):
        if step.suite or step.state != "passed":
            print(f"== {step.name}\n{text}", end="")
            print(f"== {step.name}: {step.seconds:.0f} s, {step.cpu_seconds:.0f} s of a core", flush=True)

    def deserves_another(self, step):
        in_time = step.seconds < STEP_SECONDS_MAX / 2 and time.monotonic() - self.began < AGAIN_SECONDS_MAX
        return step.state == "failed" and step.kind == WAIT and step.suite and not step.again and in_time

    def look(self):
        for step in self.running():
            process, status, usage = os.wait4(step.process, os.WNOHANG)
            if process:
                step.seconds = time.monotonic() - step.begin
                step.cpu_seconds = usage.ru_utime + usage.ru_stime
                step.state = "passed" if status == 0 else "failed"
                self.tell(step, step.log.read_text(errors="replace"))
                if self.deserves_another(step):
                    step.all_ran = "stopping after" not in step.log.read_text(errors="replace")
                    print(f"== {step.name} is tried once more, alone, when the others have ended", flush=True)
                    step.again, step.state = True, "waiting"

    def stop(self):
        for step in self.running():
            os.kill(step.process, signal.SIGTERM)
        while self.running():
            self.look()
            time.sleep(0.1)

    def run(self):
        try:
            while any(step.state in ("waiting", "running") for step in self.steps.values()):
                self.begin_what_can()
                time.sleep(0.1)
                self.look()
        finally:
            self.stop()

    def summary(self):
        steps = sorted((step for step in self.steps.values() if step.seconds), key=lambda step: -step.seconds)
        print(f"{'step':<20} {'result':<8} {'seconds':>7} {'of a core':>9}")
        for step in steps:
            print(f"{step.name:<20} {step.state:<8} {step.seconds:7.0f} {step.cpu_seconds:9.0f}")
        print(f"{'the whole run':<29} {time.monotonic() - self.began:7.0f} {sum(step.cpu_seconds for step in steps):9.0f}")
        suites = [step for step in self.steps.values() if step.suite]
        failed = [step.name for step in suites if step.state != "passed"]
        if lucky := [step.name for step in suites if step.again and step.state == "passed"]:
            print(f"passed alone, after they had failed beside others: {' '.join(lucky)}")
        if failed:
            print(f"FAILED: {' '.join(failed)}")
        print(f"suites: {len(suites) - len(failed)} passed, {len(failed)} failed")
        return 1 if failed or not suites else 0


def alone():
    """Holds the tree; another run in it would build into the same folders."""
    LOGS.mkdir(parents=True, exist_ok=True)
    lock = open(LOGS / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("run.py: another run is under way in this tree; wait for it, or use another clone")
    return lock


def main():
    run = Run(set(sys.argv[1:]) or set(os.environ.get("ONLY", "").split()))
    lock = alone()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job finds it ignored
    run.run()
    lock.close()
    return run.summary()


if __name__ == "__main__":
    sys.exit(main())
