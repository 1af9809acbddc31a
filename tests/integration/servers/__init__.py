"""Real servers for tests: Kafka (KRaft, from Maven Central), Pushgateway (Debian's package), and the program itself.

Each is started on free loopback ports with its data in a temporary folder, waited for, and ended by its process id.

    with Kafka(folder) as kafka, Pushgateway(folder) as gateway:
        kafka.create_topic("events", partitions=4)
        kafka.produce("events", {0: [b'{"a": 1}'], 1: [...]})
        job = StreamJob(folder, manifest, args=["--until-idle", "2s"])
        assert job.wait(60) == 0

`kill()` is SIGKILL, `pause()`/`resume()` are SIGSTOP/SIGCONT; `start()` after `kill()` or `stop()` uses the same port and data.
Logs stay in the folder, which pytest keeps for failed tests.
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
CACHE = pathlib.Path(os.environ.get("STREAMJOB_CACHE", pathlib.Path.home() / ".cache" / "streamjob"))
BINARY = pathlib.Path(os.environ.get("STREAMJOB", ROOT / "build" / "release" / "streamjob"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, timeout, what):
    """Polls until condition() is truthy and returns it."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(0.05)


class Process:
    """A process with a log, ended by its id."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log_path = self.folder / "log"
        self.process = None
        self.owner = {}  # Popen's user, group and extra_groups, where it is not ours

    def command(self):
        raise NotImplementedError

    def ready(self):
        return True

    def start(self, timeout=60):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, **self.owner
        )
        log.close()

        def up():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            return self.ready()

        wait_for(up, timeout, f"{self.name} ready")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _end(self, number, timeout):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self, timeout=20):
        self._end(signal.SIGTERM, timeout)

    def kill(self):
        self._end(signal.SIGKILL, 20)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.kill()


def kafka_jars():
    """The folder of Kafka's jars, downloaded once and kept outside the tree, keyed by the pom."""
    pom = HERE / "kafka" / "pom.xml"
    folder = CACHE / ("kafka-" + hashlib.sha256(pom.read_bytes()).hexdigest()[:16])
    if not (folder / "complete").exists():
        work = folder.with_suffix(f".{os.getpid()}")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        shutil.copy(pom, work)
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work}/libs", "-DincludeScope=runtime"],
            cwd=work,
            check=True,
            timeout=600,
        )
        (work / "complete").touch()
        try:
            work.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(work)
    return folder / "libs"


class Kafka(Process):
    """One node, broker and controller.

    With `pods=ADDRESS` it has two more listeners there, for pods of the test cluster: `pods_port` in the clear, advertised as
    kafka:9092, and `sasl_port` for users of `users` (name: password) with SASL/PLAIN, advertised as kafka-sasl:9093.
    """

    def __init__(self, folder, name="kafka", pods=None, users=None):
        super().__init__(folder, name)
        self.port, self.controller = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.pods_port, self.sasl_port = free_port(), free_port()
        self.jars = kafka_jars()
        self.settings = self.folder / "server.properties"
        self.settings.write_text(
            "\n".join(
                [
                    "process.roles=broker,controller",
                    "node.id=1",
                    f"controller.quorum.voters=1@127.0.0.1:{self.controller}",
                    f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.controller}",
                    f"advertised.listeners=PLAINTEXT://{self.address}",
                    "controller.listener.names=CONTROLLER",
                    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                    f"log.dirs={self.folder}/data",
                    "auto.create.topics.enable=false",
                    "offsets.topic.replication.factor=1",
                    "offsets.topic.num.partitions=4",
                    "transaction.state.log.replication.factor=1",
                    "transaction.state.log.min.isr=1",
                    "transaction.state.log.num.partitions=2",
                    "share.coordinator.state.topic.replication.factor=1",
                    "share.coordinator.state.topic.min.isr=1",
                    "group.initial.rebalance.delay.ms=0",
                    "log.retention.check.interval.ms=1000",
                    "",
                ]
            )
        )
        if pods:
            self._listen_for_pods(pods, users or {})
        self._java("kafka.tools.StorageTool", "format", "-t", "c3RyZWFtam9iLXRlc3QtMQ", "-c", str(self.settings))

    def _listen_for_pods(self, pods, users):
        lines = self.settings.read_text().splitlines()
        more = {
            "listeners": f",PODS://{pods}:{self.pods_port},SASL://{pods}:{self.sasl_port}",
            "advertised.listeners": ",PODS://kafka:9092,SASL://kafka-sasl:9093",
            "listener.security.protocol.map": ",PODS:PLAINTEXT,SASL:SASL_PLAINTEXT",
        }
        lines = [line + more.get(line.split("=")[0], "") for line in lines]
        known = "".join(f' user_{user}="{password}"' for user, password in users.items())
        lines += [
            "sasl.enabled.mechanisms=PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
            + known + ";",
        ]
        self.settings.write_text("\n".join(lines) + "\n")

    def _java_command(self, main, *args):
        return ["java", "-Xms256m", "-Xmx256m", "-XX:MaxDirectMemorySize=64m", "-cp", f"{self.jars}/*", main, *args]

    def _java(self, main, *args):
        subprocess.run(self._java_command(main, *args), check=True, capture_output=True, timeout=60)

    def command(self):
        return self._java_command("kafka.Kafka", str(self.settings))

    def ready(self):
        answer = subprocess.run(["kcat", "-b", self.address, "-L", "-m", "1"], capture_output=True)
        return answer.returncode == 0 and b"1 brokers" in answer.stdout

    def admin(self):
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.address})

    def create_topic(self, topic, partitions=1, **config):
        from confluent_kafka.admin import NewTopic

        new = NewTopic(topic, partitions, 1, config={key.replace("_", "."): str(value) for key, value in config.items()})
        admin = self.admin()
        for future in admin.create_topics([new]).values():
            future.result(30)

    def delete_topic(self, topic):
        admin = self.admin()
        for future in admin.delete_topics([topic], operation_timeout=10).values():
            future.result(30)

    def produce(self, topic, records):
        """records: {partition: [bytes, ...]}; each list goes to its partition in its order."""
        for partition, values in records.items():
            subprocess.run(
                ["kcat", "-b", self.address, "-P", "-t", topic, "-p", str(partition), "-X", "linger.ms=20",
                 "-X", "queue.buffering.max.messages=2000000", "-D", "\\x1e"],
                input=b"\x1e".join(values),
                check=True,
                timeout=120,
                capture_output=True,
            )

    def low_watermark(self, topic, partition):
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "reader"})
        low, _ = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.close()
        return low

    def consume(self, topic, isolation="read_committed"):
        """Every record of the topic so far, as [(key, value, {header: value})]."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {"bootstrap.servers": self.address, "group.id": "reader", "isolation.level": isolation,
             "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest"}
        )
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
        open_partitions, records = set(partitions), []
        deadline = time.monotonic() + 60
        while open_partitions:
            if time.monotonic() > deadline:
                raise TimeoutError(f"topic {topic} does not end")
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                open_partitions.discard(message.partition())
                continue
            records.append((message.key(), message.value(), dict(message.headers() or [])))
        consumer.close()
        return records


class Pushgateway(Process):
    def __init__(self, folder, name="pushgateway", persistence=False, host="127.0.0.1"):
        super().__init__(folder, name)
        self.host, self.port = host, free_port()
        self.url = f"http://{host}:{self.port}"
        self.persistence = persistence

    def command(self):
        command = ["prometheus-pushgateway", f"--web.listen-address={self.host}:{self.port}"]
        if self.persistence:
            command += [f"--persistence.file={self.folder}/state", "--persistence.interval=1s"]
        return command

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def metrics(self):
        """{(name, frozenset of labels): value} of a scrape."""
        import re

        text = urllib.request.urlopen(self.url + "/metrics", timeout=30).read().decode()
        sample = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
        label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
        found = {}
        for line in text.splitlines():
            match = sample.match(line)
            if match:
                found[match[1], frozenset(label.findall(match[2] or ""))] = float(match[3])
        return found


class StreamJob(Process):
    """`streamjob run` of a manifest (a dict or text), with its status served."""

    def __init__(self, folder, manifest, args=(), name="job"):
        super().__init__(folder, name)
        self.manifest = self.folder / "job.yaml"
        self.manifest.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
        self.args = list(args)
        self.port = free_port()

    def command(self):
        return [str(BINARY), "run", str(self.manifest), "--listen", f"127.0.0.1:{self.port}", *self.args]

    def ready(self):
        try:
            return self.status() is not None
        except OSError:
            return False

    def get(self, path):
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.read().decode()

    def status(self):
        return json.loads(self.get("/status")[1])

    def wait(self, timeout):
        return self.process.wait(timeout)

    def run(self, timeout):
        """Starts without waiting for readiness, and waits for the end; returns the exit code."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        log.close()
        return self.wait(timeout)
