"""One Kafka node, broker and controller (KRaft), from Maven Central."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

from .certificates import Certificates
from .ports import free_port
from .process import Process, wait_for

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("STREAMJOB_CACHE", pathlib.Path.home() / ".cache" / "streamjob"))
SCRAM = "SCRAM-SHA-256", "SCRAM-SHA-512"
# Quick to start and cheap when idle, which is what a broker of a test is most of the time: half the processor time of the defaults.
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms256m", "-Xmx256m", "-XX:MaxDirectMemorySize=64m")


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
    Each KafkaProxy of `through` stands before a listener of its own.
    """

    def __init__(self, folder, name="kafka", pods=None, users=None, through=()):
        super().__init__(folder, name)
        self.pods_port, self.sasl_port = free_port(), free_port()
        self.port, self.controller, self.sasl_ssl_port, self.mutual_port = (free_port() for _ in range(4))
        self.address, self.sasl_ssl_address, self.mutual_address = (
            f"127.0.0.1:{port}" for port in (self.port, self.sasl_ssl_port, self.mutual_port)
        )
        self.user, self.password = "job-user", "s3cret-of-the-job"
        self.certificates = Certificates(self.folder / "certificates")
        self.jars = kafka_jars()
        self.settings = self.folder / "server.properties"
        self.settings.write_text("\n".join(self._properties()) + "\n")
        if pods:
            self._listen_for_pods(pods, users or {})
        if through:
            self._listen_behind(through)
        self._java(
            "kafka.tools.StorageTool", "format", "-t", "c3RyZWFtam9iLXRlc3QtMQ", "-c", str(self.settings),
            *(part for scram in SCRAM for part in ("--add-scram", f"{scram}=[name={self.user},password={self.password}]")),
        )

    def _properties(self):
        """Listeners: PLAINTEXT; SASL_SSL with PLAIN and SCRAM; MUTUAL, TLS that asks for the client's certificate."""
        certificate, key = self.certificates.issue("broker")
        keystore = self.folder / "broker.pem"
        keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
        listeners = f"PLAINTEXT://{self.address},SASL_SSL://{self.sasl_ssl_address},MUTUAL://{self.mutual_address}"
        return [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{self.controller}",
            f"listeners={listeners},CONTROLLER://127.0.0.1:{self.controller}",
            f"advertised.listeners={listeners}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL",
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={keystore}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self.certificates.ca}",
            "listener.name.mutual.ssl.client.auth=required",
            f"sasl.enabled.mechanisms={','.join(('PLAIN', *SCRAM))}",
            "listener.name.sasl_ssl.plain.sasl.jaas.config="
            f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{self.user}="{self.password}";',
            *(f"listener.name.sasl_ssl.{scram.lower()}.sasl.jaas.config="
              "org.apache.kafka.common.security.scram.ScramLoginModule required;" for scram in SCRAM),
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
        ]

    def _more_listeners(self, listeners, advertised, protocols):
        """The settings' lines with these at the end of what is there."""
        more = {"listeners": listeners, "advertised.listeners": advertised, "listener.security.protocol.map": protocols}
        return [line + more.get(line.split("=")[0], "") for line in self.settings.read_text().splitlines()]

    def _listen_behind(self, proxies):
        for proxy in proxies:
            proxy.target = free_port()
        lines = self._more_listeners(
            "".join(f",THROUGH{i}://127.0.0.1:{proxy.target}" for i, proxy in enumerate(proxies)),
            "".join(f",THROUGH{i}://{proxy.address}" for i, proxy in enumerate(proxies)),
            "".join(f",THROUGH{i}:PLAINTEXT" for i in range(len(proxies))),
        )
        self.settings.write_text("\n".join(lines) + "\n")

    def _listen_for_pods(self, pods, users):
        lines = self._more_listeners(
            f",PODS://{pods}:{self.pods_port},SASL://{pods}:{self.sasl_port}",
            ",PODS://kafka:9092,SASL://kafka-sasl:9093",
            ",PODS:PLAINTEXT,SASL:SASL_PLAINTEXT",
        )
        known = "".join(f' user_{user}="{password}"' for user, password in users.items())
        lines.append("listener.name.sasl.sasl.enabled.mechanisms=PLAIN")
        lines.append(
            "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
            + known + ";"
        )
        self.settings.write_text("\n".join(lines) + "\n")

    def _java_command(self, main, *args):
        return ["java", *JVM, "-cp", f"{self.jars}/*", main, *args]

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

    def settle(self):
        """Waits until the controller takes orders again: a node that was stopped for long has lost its session."""

        def orders():
            try:
                self.create_topic(f"settled-{time.monotonic_ns()}")
                return True
            except Exception:
                return False

        wait_for(orders, 60, "the controller to take orders")

    def configure_topic(self, topic, **config):
        from confluent_kafka.admin import ConfigResource

        new = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={key.replace("_", "."): str(value) for key, value in config.items()})
        admin = self.admin()
        for future in admin.alter_configs([new]).values():
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

    def produce_each(self, topic, records, key=None, settings=None):
        """As produce, for any bytes at all and for None, with a key and with settings of the producer."""
        from confluent_kafka import Producer

        failures = []
        # Idempotent, so that a retry keeps the order: tests know the offsets.
        producer = Producer({"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 20,
                             "queue.buffering.max.messages": 2000000, **(settings or {})})
        for partition, values in records.items():
            for value in values:
                producer.produce(topic, value, key=key, partition=partition, on_delivery=lambda error, _: error and failures.append(error))
        assert producer.flush(120) == 0 and not failures, failures[:1]

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
