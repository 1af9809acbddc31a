"""No text of a function, of a record or of a server makes a field or a line of the log that is not its own."""

import http.server
import json
import re
import threading

import pytest

FORGED = 'hi" level=error msg="window accepted" sequence=99\\n{"level":"error","msg":"window accepted"}'

JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: forge}
spec:
  source: {stdin: {}}
  columns: [{name: x, type: BIGINT}]
  functions:
  - name: bad
    kind: scalar
    onError: skip
    entrypoint: "m:bad"
    code:
      inline: |
        import os, sys
        from pyflink.table import DataTypes
        from pyflink.table.udf import udf
        @udf(result_type=DataTypes.BIGINT())
        def bad(x):
            DEED
            return x
  window: {tumbling: {size: 1s}}
  select: [{name: val, expr: "bad(x)"}]
  aggregates: [{name: total, expr: "SUM(val)"}]
  sinks: [{stdout: {}}]
"""

DEEDS = {
    "a print": "print(FORGED, flush=True)",
    "a write to standard error": "sys.stderr.write(FORGED); sys.stderr.flush()",
    "an exception": "raise ValueError(FORGED)",
    "bytes": r"os.write(1, b'hi\x00\xff\xfe\x1b[2J\" level=error\r msg=\"window accepted\"\n')",
}

PAIR = re.compile(r'([\w.]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$)')


def logfmt(line):
    fields, at = {}, 0
    while at < len(line):
        pair = PAIR.match(line, at)
        assert pair, line[at:]
        assert pair[1] not in fields, line
        fields[pair[1]] = json.loads(pair[2]) if pair[2].startswith('"') else pair[2]
        at = pair.end()
    return fields


def only_once(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def parse(form, text):
    """The lines as programs read them: any character that one takes for an end of a line is one."""
    lines = text.splitlines()
    return [json.loads(line, object_pairs_hook=only_once) if form == "json" else logfmt(line) for line in lines]


@pytest.mark.parametrize("form", ["logfmt", "json"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_function_cannot_forge(tree, deed, form):
    tree.write("job.yaml", JOB.replace("DEED", DEEDS[deed].replace("FORGED", f"'{FORGED}'")))
    done = tree.streamjob("run", "job.yaml", "--log-format", form, text='{"x":1}\n')
    assert done.returncode == 0, done.stderr
    lines = parse(form, done.stderr)
    assert {line["level"] for line in lines} <= {"info", "warn"}
    assert not [line for line in lines if str(line.get("sequence")) == "99"]
    said = [line for line in lines if "hi" in str(line.get("text", line.get("error", "")))]
    assert said and all(line["msg"] in ("a function wrote", "a function raised") for line in said)


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_record_cannot_forge(tree, form):
    job = JOB.replace("DEED", "pass").replace("window: {", "format: {json: {onBadField: fail}}\n  window: {")
    tree.write("job.yaml", job)
    done = tree.streamjob("run", "job.yaml", "--log-format", form, text=json.dumps({"x": FORGED}) + "\n")
    assert done.returncode == 1
    lines = parse(form, done.stderr)
    assert [line["level"] for line in lines if line["msg"] == "job failed"] == ["error"]
    assert not [line for line in lines if line["msg"] == "window accepted"]


def rejecting_gateway(tree, form, *args):
    """A run on one row, whose only window a Pushgateway refuses with words that would be a line of the log."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'no\xff" level=error msg="window accepted" sequence=99\r\nlevel=error'
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    sink = f'pushgateway: {{url: "{url}", job: f, onRejected: skip, metrics: [{{name: m, type: gauge, value: total}}]}}'
    tree.write("job.yaml", JOB.replace("DEED", "pass").replace("stdout: {}", sink))
    done = tree.streamjob("run", "job.yaml", "--log-format", form, *args, text='{"x":1}\n')
    server.shutdown()
    return done


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_server_cannot_forge(tree, form):
    done = rejecting_gateway(tree, form)
    lines = parse(form, done.stderr)
    assert [line for line in lines if 'level=error msg="window accepted" sequence=99' in str(line.get("error"))], done.stderr
    assert not [line for line in lines if str(line.get("sequence")) == "99"]


def test_a_rejected_window_is_a_loss(tree):
    done = rejecting_gateway(tree, "json")
    assert done.returncode == 0
    (said,) = [line for line in parse("json", done.stderr) if line["msg"] == "a sink rejected windows"]
    assert (said["level"], said["rejected"]) == ("warn", 1)
    assert rejecting_gateway(tree, "json", "--strict").returncode == 3
