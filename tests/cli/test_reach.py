"""
Which files a function reaches: a folder of its own for temporary ones, which is counted and goes with its process; not the
Secrets, however they are mounted, not what the job writes, not other functions' folders.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from conftest import BINARY, Tree, job_of_one_function
from test_wall import HEAD, said

TRIED = """
def tried(case):
    try:
        return repr(case())
    except BaseException as e:
        return f'{type(e).__name__}: {e}'
"""


def code_of(body):
    return HEAD + TRIED + f"import json, pathlib, shutil\nf = udf(lambda x: str({body}), result_type=DataTypes.STRING())\n"


def function(body, name="fn", **more):
    code = {"code": {"inline": code_of(body)}} if "code" not in more else {}
    return {"name": name, "kind": "scalar", "entrypoint": "m:f", "startTimeout": "60s", "timeout": "60s", **code, **more}


def run(tree, text, *args, env=None, rows=1):
    tree.write("job.yaml", text)
    lines = "".join(json.dumps({"v": v}) + "\n" for v in range(rows))
    return tree.streamjob("run", "job.yaml", "--input", "-", *args, text=lines, env=env)


def test_temporary_files_are_a_functions_own_and_go_with_it(tree):
    """The second function is given the first one's folder, and finds nothing there."""
    first = function("[tempfile.gettempdir(), open(tempfile.gettempdir() + '/of-first', 'w').write('x'), os.getenv('TMPDIR') == tempfile.gettempdir()][0]", "first")
    body = "json.dumps([tempfile.gettempdir() != x, *(tried(c) for c in (lambda: open(x + '/of-first').read(), lambda: os.listdir(x), lambda: os.listdir(os.path.dirname(x)), lambda: open(x + '/new', 'w'), lambda: tempfile.NamedTemporaryFile('w').write('own')))])"
    second = function(body, "second")
    text = job_of_one_function(first).replace(json.dumps(first), f"{json.dumps(first)}, {json.dumps(second)}").replace("fn(v)", "second(first(v))")
    place = tree.folder / "place"
    place.mkdir()
    done = run(tree, text, "--output", "-", env={"TMPDIR": str(place)})
    own, *denied, wrote = json.loads(json.loads(done.stdout)["r"])
    assert own and all("PermissionError" in words for words in denied), done.stdout
    assert wrote == "3"
    assert list(place.iterdir()) == []


def test_what_a_function_leaves_goes_however_it_and_the_runtime_end(tree):
    """Folders deeper than a path can be, of no mode; a process that ends by itself; a runtime that is killed."""
    place = tree.folder / "place"
    place.mkdir()
    env = {**os.environ, "TMPDIR": str(place)}
    deep = "[os.chdir(tempfile.mkdtemp()), [(os.mkdir('d' * 200), os.chdir('d' * 200)) for _ in range(30)], os.mkdir('shut', 0), open('file', 'w').write('x'), os._exit(3) if x == 1 else 0]"
    done = run(tree, job_of_one_function(function(deep, onPoisonRow="skip")), "--output", "-", env={"TMPDIR": str(place)}, rows=3)
    assert done.returncode == 0 and "poison" in done.stderr, done.stderr
    assert list(place.iterdir()) == []
    tree.write("job.yaml", job_of_one_function(function("[open(tempfile.gettempdir() + '/left', 'w').write('x'), time.sleep(50)]")))
    hanging = tree.start("run", "job.yaml", "--input", "-", "--output", "-", stdin=subprocess.PIPE, env=env)
    hanging.stdin.write('{"v": 1}\n' * 2000)
    hanging.stdin.close()
    end = time.monotonic() + 60
    while not list(place.glob("*/*/left")):
        assert time.monotonic() < end
        time.sleep(0.05)
    hanging.send_signal(signal.SIGKILL)
    hanging.wait()
    run(tree, job_of_one_function(function("1")), "--output", "-", env={"TMPDIR": str(place)})
    assert list(place.iterdir()) == []


HOLDS = """
F = []
def hold(count, size, name_it):
    for i in range(count):
        path = f'{tempfile.gettempdir()}/{i}'
        if name_it == 'in folders':
            os.makedirs(path + '.d/e/f')
            path += '.d/e/f/g'
        F.append(open(path, 'w+b'))
        if name_it == 'without a name':
            os.unlink(path)
        os.posix_fallocate(F[-1].fileno(), 0, size)
        if name_it != 'without a name':
            F.pop().close()
    time.sleep(30)
"""


def over(tree, body, *words, env=None, memory="64Mi"):
    code = {"inline": HEAD + HOLDS + f"f = udf(lambda x: str({body}), result_type=DataTypes.STRING())\n"}
    text = job_of_one_function(function("", code=code, memory=memory, onPoisonRow="fail"))
    done = run(tree, text, "--output", "-", env=env)
    assert done.returncode == 1, done.stderr
    for word in ("fn", "eval", "memory", *words):
        assert word in done.stderr, (word, done.stderr)


@pytest.mark.parametrize("how", ["without a name", "by name", "in folders"])
def test_files_in_memory_count_as_memory(how):
    place = f"/dev/shm/streamjob-test-{os.getpid()}"
    if shutil.disk_usage("/dev/shm").free < 256 << 20:
        pytest.skip("/dev/shm is too small, as Docker's own is")
    os.mkdir(place)
    try:
        tree = Tree(pathlib.Path(place))
        over(tree, f"hold(4, 40 << 20, {how!r})", "files in memory", env={"TMPDIR": place})
        assert [entry for entry in os.listdir(place) if "scratch" in entry] == []
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize(
    "body,words",
    [
        ("hold(2, 200 << 20, 'without a name')", "of temporary files"),
        ("hold(2, 200 << 20, 'by name')", "of temporary files"),
        ("[[open(f'{tempfile.gettempdir()}/{i}', 'w').close() for i in range(5000)], time.sleep(30)]", "temporary files in $TMPDIR"),
        ("[os.makedirs(tempfile.gettempdir() + '/d' * 40), time.sleep(30)]", "folders in one another"),
    ],
)
def test_temporary_files_have_limits(tree, body, words):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:  # a disk's, where /tmp is in memory
        over(tree, body, words, env={"TMPDIR": place})


OUTPUTS = "(" + ", ".join(
    f"lambda: {deed}"
    for deed in (
        "open(P).read()", "open(P, 'a').write('x')", "open(P, 'w')", "os.truncate(P, 0)", "os.unlink(P)", "os.rename(P, P + '.2')",
        "os.link(P, tempfile.gettempdir() + '/linked')", "os.rename(P, tempfile.gettempdir() + '/moved')", "os.symlink('/x', P + '.3')",
        "os.replace('job.yaml', P)", "open('sub/../' + P, 'a')", "open(os.path.realpath(P), 'a')", "open('/proc/self/cwd/' + P, 'a')", "open('link', 'a')",
    )
) + ")"


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.streamjob", "letters.jsonl"])
def test_what_the_job_writes_is_out_of_reach(tree, name):
    """Files that are there already, and those that are not there yet when the process starts."""
    (tree.folder / "sub").mkdir()
    (tree.folder / "link").symlink_to(name)
    body = f"[globals().update(P={name!r}), json.dumps([tried(c) for c in {OUTPUTS}])][1]"
    text = job_of_one_function(function(body)).replace("sinks: [{stdout: {}}]", "sinks: [{file: {path: out.jsonl}}]\n  deadLetter: {file: {path: letters.jsonl}}")
    for _ in range(2):
        done = run(tree, text)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(json.loads(line)["r"]) for line in tree.read("out.jsonl").splitlines()]
        assert rows and all("PermissionError" in words or "FileNotFoundError" in words or "cross-device" in words for words in rows[-1]), rows
        (tree.folder / "letters.jsonl").write_text("{}\n")


def test_what_is_beside_a_folder_of_many_files_is_reached(tree):
    """The job writes among more files than there are rules for; those in other folders are reached all the same."""
    beside = [f"beside{i}" for i in range(40)]
    for name in [*beside[:20], "many", *beside[20:]]:
        (tree.folder / name).mkdir()
    for name in beside:
        tree.write(f"{name}/there", "")
    for i in range(17000):
        os.close(os.open(tree.folder / "many" / str(i), os.O_CREAT | os.O_WRONLY))
    body = f"[name for name in {beside!r} if tried(lambda: open(name + '/there').read()) != repr('')]"
    done = run(tree, job_of_one_function(function(body)), "--output", "many/out")
    assert json.loads(tree.read("many/out"))["r"] == "[]", done.stderr


def test_links_to_what_the_job_writes_stay(tree):
    """The job would follow the next one."""
    (tree.folder / "real").mkdir()
    (tree.folder / "out.jsonl").symlink_to("real/out.jsonl")
    body = "json.dumps([tried(c) for c in (lambda: os.unlink('out.jsonl'), lambda: os.rename('out.jsonl', 'other'), lambda: os.rename('real', 'unreal'), lambda: os.symlink('x', 'y'), lambda: open('real/out.jsonl', 'a'))])"
    done = run(tree, job_of_one_function(function(body)), "--output", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert all("PermissionError" in words for words in json.loads(json.loads(tree.read("real/out.jsonl"))["r"])), done.stderr


def test_the_output_of_the_command_line_is_out_of_reach(tree):
    done = run(tree, job_of_one_function(function("tried(lambda: open('rows.jsonl', 'a').write('forged'))")), "--output", "rows.jsonl")
    assert "PermissionError" in tree.read("rows.jsonl"), done.stderr


def test_code_beside_secrets(tree):
    """Its folder is read, for modules beside it; the Secrets in the same folder are not."""
    (tree.folder / "secrets").mkdir()
    tree.write("secrets/password", "hunter2")
    tree.write("beside.py", "VALUE = 7\n")
    tree.write("code.py", code_of("[__import__('beside').VALUE, tried(lambda: open('secrets/password').read())]"))
    done = run(tree, job_of_one_function(function("", code={"path": str(tree.folder / "code.py")})), "--output", "-", "--secrets", "secrets")
    assert "[7, \\\"PermissionError" in done.stdout or '[7, "PermissionError' in json.loads(done.stdout)["r"], (done.stdout, done.stderr)


def test_secrets_that_come_later(tree):
    """The folder was not there when the process began."""
    tree.write("job.yaml", job_of_one_function(function("[[time.sleep(0.05) for _ in range(1000) if not os.path.exists('late/password')], tried(lambda: open('late/password').read())][1]")))
    job = tree.start("run", "job.yaml", "--input", "-", "--output", "-", "--secrets", "late", "--log-level", "debug", stdin=subprocess.PIPE)
    job.stdin.write('{"v": 1}\n')
    job.stdin.close()
    end = time.monotonic() + 60
    while not [p for p in os.listdir("/proc") if p.isdigit() and is_child(p, job.pid)]:
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(1)
    (tree.folder / "late").mkdir()
    (tree.folder / "late" / ".p").write_text("hunter2")
    (tree.folder / "late" / ".p").rename(tree.folder / "late" / "password")
    out = job.stdout.read()
    job.wait()
    assert "PermissionError" in out and "hunter2" not in out, out


def is_child(pid, parent):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1]) == parent
    except OSError:
        return False


MOUNTS = {
    "the same folder elsewhere": ("mkdir a; mount --bind secrets a", "a/password"),
    "a folder above it elsewhere": ("mkdir a; mount --bind . a", "a/secrets/password"),
    "a folder in it elsewhere": ("mkdir a secrets/in; echo hunter2 >secrets/in/password; mount --bind secrets/in a", "a/password"),
    "a file of it elsewhere": ("touch a; mount --bind secrets/password a", "a"),
    "as Kubernetes mounts one": ("mkdir a; mount -t tmpfs none a; mkdir a/..1; echo hunter2 >a/..1/password; ln -s ..1 a/..data; ln -s ..data/password a/password", "a/password"),
    "as Kubernetes mounts a file of one": (
        "mkdir a; mount -t tmpfs none a; mkdir a/..1; echo hunter2 >a/..1/password; touch file; mount --bind a/..1/password file",
        "file",
    ),
}


@pytest.mark.parametrize("how", list(MOUNTS))
def test_secrets_however_they_are_mounted(tree, how):
    before, path = MOUNTS[how]
    (tree.folder / "secrets").mkdir()
    tree.write("secrets/password", "hunter2")
    tree.write("plain", "seen")
    tree.write("job.yaml", job_of_one_function(function(f"[tried(lambda: open({path!r}).read()), open('plain').read()]")))
    command = f"{before}; echo '{{\"v\": 1}}' | {BINARY} run job.yaml --input - --output - --secrets secrets"
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-ec", command], cwd=tree.folder, capture_output=True, text=True, timeout=120)
    if "unshare: " in done.stderr:
        pytest.skip("this machine lets nobody make a namespace of mounts")
    assert "PermissionError" in done.stdout and "seen" in done.stdout and "hunter2" not in done.stdout, (done.stdout, done.stderr)


def test_memory_that_no_limit_counts_is_read_only(tree):
    tree.write("job.yaml", job_of_one_function(function("[tried(lambda: open('a/new', 'w')), open('a/there').read()]")))
    command = f"mkdir a; mount -t tmpfs none a; echo seen >a/there; echo '{{\"v\": 1}}' | {BINARY} run job.yaml --input - --output -"
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-ec", command], cwd=tree.folder, capture_output=True, text=True, timeout=120)
    if "unshare: " in done.stderr:
        pytest.skip("this machine lets nobody make a namespace of mounts")
    assert "PermissionError" in done.stdout and "seen" in done.stdout, (done.stdout, done.stderr)


def test_devices(tree):
    body = "[open('/dev/null', 'w').write('x'), len(open('/dev/urandom', 'rb').read(4)), len(open('/dev/zero', 'rb').read(4))]"
    assert said(tree, body)[0] == "[1, 4, 4]"
    for path in ("/dev/new", "/dev/shm/new", "/dev/mqueue/new"):
        assert "Error" in said(tree, f"open({path!r}, 'w')")[0]
