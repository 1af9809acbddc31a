"""Events that keep coming while a test changes something."""

import threading

import bucket


class Load(threading.Thread):
    """Produces some events every 100 ms until stopped."""

    def __init__(self, kafka, topic, seed=5):
        super().__init__()
        self.kafka, self.topic, self.seed = kafka, topic, seed
        self.passing, self.error = [], None
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.wait(0.1):
                self.seed += 1
                records, passing = bucket.make_events(200, seed=self.seed)
                self.kafka.produce(self.topic, records)
                self.passing += passing
        except Exception as error:  # noqa: BLE001 - said by the test's thread
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.join()
        if self.error:
            raise self.error
