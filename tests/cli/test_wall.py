"""
What a function may not do to others, to its runtime and to the memory that no limit counts; each by name, with others of its
kind. What functions do need goes on working behind the same wall.
"""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

import pytest
from conftest import BINARY, Tree, job_of_one_function

HEAD = """\
import ctypes, fcntl, mmap, os, resource, socket, struct, sys, tempfile, threading, time
from streamjob import DataTypes, udf
P = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
def number(x86, arm): return x86 if X86 else arm
def call(n, *args):
    done = libc.syscall(ctypes.c_long(n), *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
    if done < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return done
def libc_mmap(flags, fd=-1):
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(4096), 3, flags, fd, ctypes.c_long(0))
    if at == ctypes.c_void_p(-1).value:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return at
def half(n, a, b):  # the call of a 32-bit program, by its own instruction
    code = b"\\x53\\xb8" + struct.pack("<I", n) + b"\\xbb" + struct.pack("<I", a) + b"\\xb9" + struct.pack("<I", b) + b"\\xcd\\x80\\x5b\\xc3"
    m = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE, prot=7)
    m.write(code)
    done = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
    if done < 0: raise OSError(-done, os.strerror(-done))
    return done
def pipe(): return os.pipe()[0]
def read(path): return open(path, "rb").read(8)
"""


def job(body, **more):
    """One scalar function of one row: the text of `body`'s value."""
    code = HEAD + f"def g(x):\n    try:\n        return repr({body})\n    except BaseException as e:\n        return f'{{type(e).__name__}}: {{e}}'\n"
    code += "f = udf(g, result_type=DataTypes.STRING())\n"
    function = {"name": "fn", "kind": "scalar", "entrypoint": "m:f", "code": {"inline": code}, "startTimeout": "60s", "timeout": "60s", **more}
    return job_of_one_function(function)


def said(tree, body, *args, env=None, **more):
    tree.write("job.yaml", job(body, **more))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", *args, text='{"v": 1}\n', env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["r"], done.stderr


def said_of_all(tree, cases):
    """Each by itself, one after the other in one process: name -> the text of its value, or of what it raised."""
    all_of_them = "{" + ", ".join(f"{name!r}: lambda: {body}" for name, body in cases.items()) + "}"
    code = HEAD + f"import json\ncases = {all_of_them}\ndef tried(case):\n    try:\n        return repr(case())\n"
    code += "    except BaseException as e:\n        return f'{type(e).__name__}: {e}'\n"
    code += "f = udf(lambda x: json.dumps({n: tried(c) for n, c in cases.items()}), result_type=DataTypes.STRING())\n"
    spec = {"name": "fn", "kind": "scalar", "entrypoint": "m:f", "code": {"inline": code}, "startTimeout": "60s", "timeout": "60s"}
    tree.write("job.yaml", job_of_one_function(spec))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", text='{"v": 1}\n')
    assert done.returncode == 0, done.stderr
    return json.loads(json.loads(done.stdout)["r"])


DENIED = {
    # the descriptors that it has: none is the runtime's
    "its own descriptors": "[t for t in (os.readlink(f'/proc/self/fd/{d}') for d in range(0, 10) if os.path.lexists(f'/proc/self/fd/{d}')) if 'eventfd' in t or 'memfd' in t] or 1/0",
    # signals by way of a descriptor
    "F_SETOWN": "fcntl.fcntl(pipe(), 8, P)",
    "F_SETOWN, its upper half filled": "call(number(72, 25), pipe(), (1 << 32) | 8, P)",
    "F_SETOWN_EX": "fcntl.fcntl(pipe(), 15, struct.pack('ii', 1, P))",
    "F_SETSIG": "fcntl.fcntl(pipe(), 10, 9)",
    "F_SETLEASE": "fcntl.fcntl(os.open(tempfile.mkstemp()[1], os.O_RDONLY), 1024, 0)",
    "F_NOTIFY": "fcntl.fcntl(os.open('/tmp', os.O_RDONLY), 1026, 1)",
    "O_ASYNC": "fcntl.fcntl(pipe(), 4, os.O_ASYNC)",
    "FIOSETOWN": "fcntl.ioctl(socket.socket(), 0x8901, struct.pack('i', P))",
    "SIOCSPGRP": "fcntl.ioctl(socket.socket(), 0x8902, struct.pack('i', P))",
    "FIOASYNC": "fcntl.ioctl(pipe(), 0x5452, struct.pack('i', 1))",
    # the runtime's process
    "its memory": "open(f'/proc/{P}/mem', 'r+b')",
    "its memory, by a thread": "open(f'/proc/{P}/task/{P}/mem', 'rb')",
    "its descriptors": "os.listdir(f'/proc/{P}/fd')",
    "its environment": "read(f'/proc/{P}/environ')",
    "its map": "read(f'/proc/{P}/maps')",
    "its auxv": "read(f'/proc/{P}/auxv')",
    "its folder": "os.listdir(f'/proc/{P}/cwd')",
    "its oom_score_adj": "open(f'/proc/{P}/oom_score_adj', 'w')",
    "init's": "read('/proc/1/environ')",
    "its nice value": "os.setpriority(os.PRIO_PROCESS, P, 19)",
    "its processors": "os.sched_setaffinity(P, {0})",
    "its scheduler": "os.sched_setscheduler(P, os.SCHED_IDLE, os.sched_param(0))",
    "its scheduler's attributes": "call(number(314, 274), P, ctypes.create_string_buffer(struct.pack('IIQiIQQQ', 48, 5, 0, 0, 0, 0, 0, 0)), 0)",
    "its input and output": "call(number(251, 30), 1, P, 3 << 13)",
    "process_vm_readv": "call(number(310, 270), P, 0, 0, 0, 0, 0)",
    "ptrace": "call(number(101, 117), 16, P, 0, 0)",
    "pidfd_open": "os.pidfd_open(P)",
    "kill": "os.kill(P, 0)",
    "kill of all": "os.kill(-1, 0)",
    "tgkill": "call(number(234, 131), P, P, 0)",
    "kill, as a 32-bit program": "half(37, P, 0) if X86 else 1/0",
    "fork, as a 32-bit program": "half(2, 0, 0) if X86 else 1/0",
    "kill, by x32's number": "call(0x40000000 | 62, P, 0) if X86 else 1/0",
    "fork": "os.fork()",
    "exec": "os.execv('/bin/true', ['true'])",
    "a session": "os.setsid()",
    "not to die with it": "libc.prctl(1, 0, 0, 0, 0) and 1/0",
    "not to be looked at": "libc.prctl(4, 0, 0, 0, 0) and 1/0",
    # memory that is in no limit
    "memfd_create": "os.memfd_create('x')",
    "shared anonymous": "mmap.mmap(-1, 1 << 20)",
    "shared anonymous, validated": "libc_mmap(0x23)",
    "growing down": "libc_mmap(0x122)",
    "SysV": "call(number(29, 194), 0, 1 << 20, 0o600)",
    "SysV messages": "call(number(68, 186), 0, 0o600)",
    "POSIX messages": "call(number(240, 180), ctypes.create_string_buffer(b'/x'), 0o102, 0o600, 0)",
    "its own memory as a file": "open('/proc/self/mem', 'r+b')",
    "/dev/shm": "open('/dev/shm/x', 'wb')",
    "larger pipes": "fcntl.fcntl(pipe(), 1031, 1 << 20)",
    "larger sockets": "socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)",
    "larger sockets, to read": "socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)",
    "larger sockets, by force": "socket.socket().setsockopt(socket.SOL_SOCKET, 33, 1 << 20)",
    "splice": "call(number(275, 76), pipe(), 0, 1, 0, 1, 0)",
    "tee": "call(number(276, 77), pipe(), 1, 1, 0)",
    "huge pages": "libc_mmap(0x40022)",
    "reserved for a socket": "socket.socket().setsockopt(socket.SOL_SOCKET, 73, 1 << 20)",
    "rings of asynchronous input": "call(number(206, 0), 128, ctypes.create_string_buffer(8))",
    # limits and files
    "its limits": "resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
    "chmod": "os.chmod('/tmp', 0o777)",
    "chown": "os.chown('/tmp', 0, 0)",
    "utime": "os.utime('/tmp')",
    "chmod of what it reads": "os.fchmod(os.open('job.yaml', os.O_RDONLY), 0o777)",
    "chmod, the later call": "call(452, -100, ctypes.create_string_buffer(b'job.yaml'), 0o777, 0)",
    "chown of what it reads": "os.fchown(os.open('job.yaml', os.O_RDONLY), 1, 1)",
    "utime of what it reads": "os.utime(os.open('job.yaml', os.O_RDONLY))",
    "an attribute": "os.setxattr('job.yaml', 'user.a', b'x')",
    "an attribute of what it reads": "os.setxattr(os.open('job.yaml', os.O_RDONLY), 'user.a', b'x')",
    "no attribute of what it reads": "os.removexattr(os.open('job.yaml', os.O_RDONLY), 'user.a')",
    "an attribute, the later call": "call(463, -100, ctypes.create_string_buffer(b'job.yaml'), 0, ctypes.create_string_buffer(b'user.x'), ctypes.create_string_buffer(32), 16)",
    "no attribute, the later call": "call(466, -100, ctypes.create_string_buffer(b'job.yaml'), 0, ctypes.create_string_buffer(b'user.x'))",
    "flags of a file": "fcntl.ioctl(os.open('job.yaml', os.O_RDONLY), 0x40086602, struct.pack('l', 0))",
    "flags of a file, in half the bits": "fcntl.ioctl(os.open('job.yaml', os.O_RDONLY), 0x40046602, struct.pack('l', 0))",
    "flags of a file, the XFS call": "call(number(16, 29), os.open('job.yaml', os.O_RDONLY), 0x401c5820, ctypes.create_string_buffer(28))",
    "flags of a file, the later call": "call(469, -100, ctypes.create_string_buffer(b'job.yaml'), ctypes.create_string_buffer(32), 24, 0)",
    "a file system that stands still": "fcntl.ioctl(os.open('/proc', os.O_RDONLY), -0x3FFBA789, 0)",
    "a folder's lease": "fcntl.fcntl(os.open('/tmp', os.O_RDONLY), 1040, struct.pack('iI', 0, 0))",
    # who it is
    "another user": "os.setuid(65534)",
    "another user, the saved one": "os.setresuid(-1, -1, 65534)",
    "other groups": "os.setgroups([0])",
    "rights": "call(number(126, 91), ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0)), ctypes.create_string_buffer(24))",
    "rights that root has": "int([line for line in open('/proc/self/status') if line.startswith('CapPrm')][0].split()[1], 16) & ~0x406 or 1 / 0",
    "a device": "os.mknod('/tmp/device-of-the-wall')",
    "packets of the network": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)",
    "the kernel's own ciphers": "socket.socket(38, socket.SOCK_SEQPACKET, 0)",
    "the machine that runs this one": "socket.socket(40, socket.SOCK_STREAM, 0)",
    "a core for itself": "libc.prctl(62, 1, 0, 0, 0) and 1/0",
    "another namespace": "call(number(272, 97), 0x10000000)",
    "a thread in another namespace": "call(number(56, 220), 0x50900 | 0x40000000, 0, 0, 0, 0)",
    "a tree of mounts": "call(428, -100, ctypes.create_string_buffer(b'/'), 1)",
    "a tree of mounts, the later call": "call(467, -100, ctypes.create_string_buffer(b'/'), 1, 0, 0)",
    "a call of a later kernel": "call(500, 0, 0, 0)",
    "io_uring": "call(425, 8, ctypes.create_string_buffer(256))",
    "bpf": "call(number(321, 280), 0, 0, 0)",
    "userfaultfd": "call(number(323, 282), 0)",
    "257 descriptors": "[open('/dev/null') for _ in range(257)]",
}
WORDS = ("PermissionError", "Operation not permitted", "Permission denied", "ZeroDivisionError", "Too many open files", "not allowed", "Function not implemented")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return said_of_all(Tree(tmp_path_factory.mktemp("denied")), DENIED)


@pytest.mark.parametrize("case", list(DENIED))
def test_denied(answers, case):
    assert any(word in answers[case] for word in WORDS), answers[case]


WORKS = {
    "threads": "[t.start() or t.join() for t in [threading.Thread(target=str)]] and 'done'",
    "a pool of 32 threads": "sum(__import__('concurrent.futures').futures.ThreadPoolExecutor(32).map(lambda i: time.sleep(0.1) or 1, range(32))) == 32 and 'done'",
    "a temporary file": "tempfile.TemporaryFile().write(b'xx') == 2 and 'done'",
    "pipes": "os.write(os.pipe()[1], b'x') and 'done'",
    "its own status": "'VmRSS' in open('/proc/self/status').read() and 'done'",
    "the machine": "(len(open('/proc/cpuinfo').read()), os.cpu_count(), os.sched_getaffinity(0)) and 'done'",
    "a private mapping": "mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE) and 'done'",
    "numpy": "int((__import__('numpy').ones((64, 64)) @ __import__('numpy').ones((64, 64))).sum()) == 64 ** 3 and 'done'",
    "pandas": "__import__('pandas').DataFrame({'a': [1, 2]}).a.sum() == 3 and 'done'",
    "callbacks of ctypes": "ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 4)() == 4 and 'done'",
    "asyncio": "__import__('asyncio').run(__import__('asyncio').sleep(0, 'done'))",
    "ssl": "__import__('ssl').create_default_context() and 'done'",
    "names of hosts": "socket.getaddrinfo('localhost', 80) and 'done'",
    "its packages' site": "[sys.path, exit, quit] and 'done'",
    "a signal to itself": "os.kill(os.getpid(), 0) or 'done'",
}


@pytest.mark.parametrize("case", [case for case in WORKS if "threads" in case])
def test_threads(tree, case):
    words, log = said(tree, WORKS[case], memory="64Mi")
    assert words == "'done'", (words, log)


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    return said_of_all(Tree(tmp_path_factory.mktemp("works")), WORKS)


@pytest.mark.parametrize("case", list(WORKS))
def test_works(works, case):
    assert works[case] == "'done'"


def test_secrets_are_out_of_reach(tree):
    (tree.folder / "secrets" / "db").mkdir(parents=True)
    tree.write("secrets/db/password", "hunter2")
    tree.write("beside", "seen")
    (tree.folder / "link").symlink_to("secrets/db/password")
    for path in ("secrets/db/password", "link"):
        words, _ = said(tree, f"open({str(tree.folder / path)!r}).read()", "--secrets", "secrets")
        assert "PermissionError" in words
    assert "PermissionError" in said(tree, f"os.listdir({str(tree.folder / 'secrets')!r})", "--secrets", "secrets")[0]
    assert said(tree, f"open({str(tree.folder / 'beside')!r}).read()", "--secrets", "secrets")[0] == "'seen'"


def test_the_environment_is_a_list(tree):
    env = {"DATABASE_PASSWORD": "hunter2", "REGION": "eu", "LC_TIME": "C", "PYTHON_X": "1"}
    body = "sorted(set(os.environ) & {'DATABASE_PASSWORD', 'REGION', 'LC_TIME', 'PYTHON_X', 'PATH'})"
    assert said(tree, body, env=env)[0] == "['LC_TIME', 'PATH', 'PYTHON_X']"
    tree.write("job.yaml", job(body).replace('"startTimeout"', '"env": ["REGION"], "startTimeout"'))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", text='{"v": 1}\n', env=env)
    assert json.loads(done.stdout)["r"] == "['LC_TIME', 'PATH', 'PYTHON_X', 'REGION']", done.stderr


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"])
def test_no_network(tree, family):
    body = f"socket.socket(socket.{family}, socket.SOCK_DGRAM).close() or 'done'"
    words, _ = said(tree, body, network="none")
    assert words == "'done'" if family == "AF_UNIX" else "PermissionError" in words
    assert family == "AF_INET6" or said(tree, body)[0] == "'done'"


@pytest.mark.parametrize("name,line", [("sitecustomize.py", "{deed}"), ("usercustomize.py", "{deed}"), ("json.py", "{deed}")])
def test_packages_run_behind_the_wall_from_the_first_byte(tree, name, line):
    """What an interpreter runs before any module of the user's; json.py stands for a module that the worker itself imports."""
    deed = "import os, sys\ntry:\n    os.fork()\n    print('FORKED', flush=True)\nexcept OSError as e:\n    print('denied', e, flush=True)\n"
    (tree.folder / "packages").mkdir()
    tree.write(f"packages/{name}", line.format(deed=deed))
    tree.write("job.yaml", job("1"))
    env = {"PYTHONPATH": str(tree.folder / "packages")}
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", text='{"v": 1}\n', env=env)
    assert "FORKED" not in done.stderr
    if name == "sitecustomize.py":
        assert "denied [Errno 1] Operation not permitted" in done.stderr, done.stderr


def test_required_where_it_can_be_had(tree):
    words, log = said(tree, "'done'", sandbox="required")
    assert words == "'done'", log


HOLDS = """
H = []
def hold(port, address, family):
    for _ in range(50):
        s = socket.socket(family)
        s.settimeout(5)
        try:
            s.connect((address, port))
            s.send(b'GET /sta')
            H.append(s)
        except OSError:
            s.close()
def go(port):
    host = socket.gethostbyname(socket.gethostname())
    for address, family in (('127.0.0.1', socket.AF_INET), (host, socket.AF_INET), ('::ffff:127.0.0.1', socket.AF_INET6), ('127.3.2.1', socket.AF_INET)):
        threading.Thread(target=hold, args=(port, address, family), daemon=True).start()
    time.sleep(30)
"""


def test_a_function_that_holds_the_probes_connections(tree):
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    code = HEAD + HOLDS + f"f = udf(lambda x: str(go({port})), result_type=DataTypes.STRING())\n"
    spec = {"name": "fn", "kind": "scalar", "entrypoint": "m:f", "code": {"inline": code}, "startTimeout": "60s", "timeout": "60s"}
    tree.write("job.yaml", job_of_one_function(spec))
    job = tree.start("run", "job.yaml", "--input", "-", "--output", "-", "--listen", f":{port}", stdin=subprocess.PIPE)
    try:
        job.stdin.write('{"v": 1}\n')
        job.stdin.close()
        held, end = 0, time.monotonic() + 60
        while held < 8:
            assert time.monotonic() < end, held
            held = 0
            for line in open("/proc/net/tcp").read().splitlines()[1:]:
                local, state = line.split()[1], line.split()[3]
                held += int(local.split(":")[1], 16) == port and state in ("01", "08")
        answered = 0  # one after the other; while the function still connects, it may push out who asks from its own address
        while answered < 20:
            assert time.monotonic() < end, answered
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as answer:
                    answered += answer.status == 200
            except OSError:
                answered = 0
    finally:
        job.kill()
        job.wait()


def cgroup(limit_bytes):
    """A new one of this machine's, of either version, or None."""
    for root, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        folder = pathlib.Path(root) / f"streamjob-test-{os.getpid()}"
        if not (pathlib.Path(root) / "cgroup.procs").exists():
            continue
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / name).write_text(str(limit_bytes))
            for swap, most in (("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", limit_bytes)):
                if (folder / swap).exists():  # a machine that swaps has room for more
                    (folder / swap).write_text(str(most))
            return folder
        except OSError:
            folder.rmdir()
    return None


def test_the_containers_own_limit_is_not_met(tree):
    """A function that may hold more than the container: it is ended and named, before the kernel ends what it likes."""
    folder = cgroup(400 << 20)
    if not folder:
        pytest.skip("this machine lets nobody make a cgroup that limits memory")
    body = "[K.append(bytearray(310 << 20)), [(K.append(bytearray(1 << 20)), time.sleep(0.02)) for _ in range(500)]]"
    tree.write("job.yaml", job(body.replace("K.", "sys.__dict__.setdefault('kept', [])."), memory="2Gi", onPoisonRow="fail"))
    try:
        command = f"echo $$ >{folder}/cgroup.procs; echo '{{\"v\": 1}}' | {BINARY} run job.yaml --input - --output -"
        done = subprocess.run(["sh", "-c", command], cwd=tree.folder, capture_output=True, text=True, timeout=120)
    finally:
        folder.rmdir()
    assert "function fn, eval: needs more memory than its container has left" in done.stderr, done.stderr
    assert "of 419430400 bytes" in done.stderr
