"""What an informer survives: the rows of watching and listing, each provoked on purpose."""

import json
import threading
import time

import pytest

from hostile import Gone, status


def things(server, *names, namespace="default"):
    for name in names:
        server.api.put("things", namespace, name)


def synced(driver, *names):
    """The informer has these, and watches."""
    for name in names:
        driver.expect(f"added default/{name} ")
    driver.expect("well")


def once(condition, answer):
    """A fault that happens the first time that its condition holds."""
    done = []

    def fault(request, reply):
        if done or not condition(request):
            return False
        done.append(request)
        return answer(reply)

    fault.done = done
    return fault


def is_watch(request):
    return request.watch


def is_list(request):
    return request.plural == "things" and request.method == "GET" and not request.watch


def versions(server):
    """Where the first two watches began."""
    return [request.query["resourceVersion"] for request in server.until(is_watch, 2)]


def test_list_then_watch(server, informer):
    things(server, "a", "b")
    driver = informer()
    synced(driver, "a", "b")
    things(server, "c")
    assert "untrimmed" not in driver.expect("added default/c uid-103 103")
    things(server, "a")
    driver.expect("updated default/a uid-101 104")
    server.api.delete("things", "default", "b")
    driver.expect("deleted default/b uid-102")
    counts = driver.counts()
    assert counts["keys"] == ["default/a", "default/c"] and counts["synced"] and counts["lists"] == 1
    watch = server.until(is_watch, 1)[0]
    assert watch.query["resourceVersion"] == "102" and watch.query["allowWatchBookmarks"] == "true"
    assert 290 * 4 / 5 - 1 <= int(watch.query["timeoutSeconds"]) <= 290


def test_one_namespace_only(server, informer):
    things(server, "a")
    things(server, "x", namespace="other")
    driver = informer(namespace="other")
    driver.expect("added other/x ")
    driver.expect("well")
    things(server, "b")
    things(server, "y", namespace="other")
    driver.expect("added other/y ")
    assert driver.counts()["keys"] == ["other/x", "other/y"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100000])
def test_chunks_split_anywhere_and_merged(server, informer, size):
    def fault(request, reply):
        if not request.watch or request.query["resourceVersion"] != "100":
            return False
        events = b"\n".join(json.dumps({"type": "ADDED", "object": {"metadata": {
            "name": f"n{i}", "namespace": "default", "uid": f"u{i}", "resourceVersion": str(200 + i)},
            "text": "ünïcödé \n" * i}}, ensure_ascii=False).encode() for i in range(5)) + b"\n\n"
        reply.begin()
        for at in range(0, len(events), size):
            reply.chunk(events[at:at + size])
        return reply.end()

    server.fault = fault
    driver = informer()
    for i in range(5):
        driver.expect(f"added default/n{i} u{i} {200 + i}")
    assert versions(server) == ["100", "204"]
    assert driver.counts()["lists"] == 1


@pytest.mark.parametrize("line", [b"{\n", b"garbage\n", b'{"type": "ADDED"}\n', b"[1]\n", b"\xff\xfe\n",
                                  b'{"type": 1, "object": {}}\n'])
def test_malformed_line_after_complete_events(server, informer, line):
    def answer(reply):
        reply.begin()
        reply.event("ADDED", {"metadata": {"name": "z", "namespace": "default", "uid": "u", "resourceVersion": "150"}})
        reply.chunk(line)
        time.sleep(1)
        return reply.end()

    server.fault = once(is_watch, answer)
    driver = informer()
    driver.expect("added default/z u 150")
    driver.expect("trouble malformed")
    driver.expect("well")
    assert versions(server) == ["100", "150"]
    assert driver.counts()["lists"] == 1


def test_event_larger_than_its_cap(server, informer):
    def answer(reply):
        reply.begin()
        reply.event("ADDED", {"metadata": {"name": "z", "namespace": "default", "uid": "u", "resourceVersion": "150"}})
        for _ in range(100):
            reply.chunk(b"x" * 1000)
        return reply.end()

    server.fault = once(is_watch, answer)
    driver = informer("event_bytes_max=5000")
    driver.expect("added default/z u 150")
    driver.expect("trouble too-large")
    driver.expect("well")


@pytest.mark.parametrize("ending", ["reset", "closed"])
def test_stream_cut_in_the_middle_of_an_event(server, informer, ending):
    read = threading.Event()

    def answer(reply):
        reply.begin()
        reply.event("ADDED", {"metadata": {"name": "z", "namespace": "default", "uid": "u", "resourceVersion": "150"}})
        reply.chunk(b'{"type": "ADDED", "obj')
        if ending == "closed":
            raise Gone
        read.wait(30)  # a RST throws away what was not read yet
        return reply.reset()

    server.fault = once(is_watch, answer)
    driver = informer()
    driver.expect("added default/z u 150")
    read.set()
    driver.expect("trouble unavailable 0")
    driver.expect("well")
    assert versions(server) == ["100", "150"]


GONE_STREAM = status(410, "Expired", "too old resource version: 100 (200)")
TOO_LARGE = {"message": "Too large resource version: 100, current: 5", "reason": "Timeout"}


def in_stream(document):
    def answer(reply):
        reply.begin()
        reply.event("ERROR", document)
        return reply.end()

    return answer


@pytest.mark.parametrize("reason, answer", [
    ("gone", lambda reply: reply.fail(410, "Expired")),
    ("gone", in_stream(GONE_STREAM)),
    ("version-too-large", lambda reply: reply.fail(504, **TOO_LARGE)),
    ("version-too-large", lambda reply: reply.fail(
        504, "Timeout", "something", causes=[{"reason": "ResourceVersionTooLarge"}], retryAfterSeconds=1)),
    ("version-too-large", in_stream(status(504, **TOO_LARGE))),
], ids=["410 status", "410 in the stream", "too large by words", "too large by cause", "too large in the stream"])
def test_relist_and_missed_deletes(server, informer, reason, answer):
    things(server, "a", "b", "c")
    faults = []

    def fault(request, reply):
        if request.watch and not faults:
            faults.append(request)
            server.api.delete("things", "default", "b", silent=True)
            server.api.put("things", "default", "c", silent=True)
            return answer(reply)
        return False

    server.fault = fault
    driver = informer()
    for name in "abc":
        driver.expect(f"added default/{name} ")
    driver.expect(f"trouble {reason}")
    driver.expect("updated default/c uid-103 105")
    driver.expect("deleted default/b uid-102")
    driver.expect("well")
    assert driver.counts()["keys"] == ["default/a", "default/c"]
    lists = [request for request in server.log if is_list(request)]
    assert len(lists) == 2 and "resourceVersion" not in lists[1].query


def test_410_on_a_continue_token(server, informer):
    things(server, *"abcde")
    server.fault = once(lambda request: "continue" in request.query, lambda reply: reply.fail(410, "Expired"))
    driver = informer("list_limit=2")
    driver.expect("trouble gone 410")
    driver.expect("well")
    assert driver.counts()["keys"] == [f"default/{name}" for name in "abcde"]


def test_bookmark_advances(server, informer):
    things(server, "a")
    driver = informer("watch_server_s=1")
    synced(driver, "a")
    version = server.api.bookmark("things")
    assert versions(server) == ["101", str(version)]
    assert driver.counts()["lists"] == 1


def test_unknown_event_type(server, informer):
    def answer(reply):
        reply.begin()
        reply.event("SURPRISE", {"metadata": {"name": "s", "namespace": "default", "resourceVersion": "999"}})
        reply.event("ADDED", {"metadata": {"name": "z", "namespace": "default", "uid": "u", "resourceVersion": "150"}})
        return reply.end()

    server.fault = once(is_watch, answer)
    driver = informer()
    driver.expect("added default/z u 150")
    assert versions(server) == ["100", "150"]
    assert driver.counts()["keys"] == ["default/z"]


def test_error_event_without_a_code(server, informer):
    server.fault = once(is_watch, in_stream({"message": "the stream broke"}))
    driver = informer()
    driver.expect("trouble unavailable 500 0 watch /apis/test/v1/things: the API server answered 500: the stream broke")
    driver.expect("well")


@pytest.mark.parametrize("condition", [is_list, is_watch], ids=["list", "watch"])
@pytest.mark.parametrize("code", [429, 500, 503])
def test_retry_after_is_honoured(server, informer, code, condition):
    fault = once(condition, lambda reply: reply.fail(code, "Later", headers={"Retry-After": "1"}))
    server.fault = fault
    driver = informer()
    driver.expect(f"trouble {'throttled' if code == 429 else 'unavailable'} {code} 1000")
    driver.expect("well")
    again = server.until(condition, 2)
    assert again[1].time - fault.done[0].time >= 1
    assert driver.counts()["lists"] == (2 if condition is is_list else 1)


def test_no_relist_storm_on_5xx(server, informer):
    things(server, "a")
    server.fault = lambda request, reply: request.watch and reply.fail(503, "Down")
    driver = informer()
    driver.expect("added default/a ")
    driver.until_counts(lambda counts: counts["failures"] >= 6)
    counts = driver.counts()
    assert counts["lists"] == 1
    times = [request.time for request in server.until(is_watch, 6)]
    assert all(later - earlier >= 0.019 for earlier, later in zip(times, times[1:]))
    assert times[5] - times[4] >= 0.1


def test_401_with_a_rotated_token(server, informer):
    things(server, "a")
    driver = informer("watch_server_s=1")
    synced(driver, "a")
    server.token = "token-2"
    server.token_file()
    things(server, "b")
    driver.expect("added default/b ")
    driver.until_counts(lambda counts: counts["watches"] >= 3)
    assert driver.counts()["failures"] == 0


def test_401_that_stays(server, informer):
    config = server.kubeconfig()
    server.token = "another"
    driver = informer(kubeconfig=config)
    driver.expect("trouble unauthorized 401")
    server.token_file()
    driver.expect("well")


def test_403_on_one_namespace(server, drive, informer):
    forbidden = [True]
    things(server, "a", namespace="good")
    things(server, "b", namespace="bad")
    server.fault = lambda request, reply: request.namespace == "bad" and forbidden[0] and reply.fail(
        403, "Forbidden", 'things is forbidden: cannot list in the namespace "bad"')
    bad, good = informer(namespace="bad"), informer(namespace="good")
    good.expect("added good/a ")
    good.expect("well")
    assert 'in the namespace "bad"' in bad.expect("trouble forbidden 403")
    things(server, "c", namespace="good")
    good.expect("added good/c ")
    forbidden[0] = False
    bad.expect("added bad/b ")
    bad.expect("well")


def test_403_in_the_middle_of_watching(server, informer):
    forbidden = [False]
    things(server, "a")
    server.fault = lambda request, reply: forbidden[0] and reply.fail(403, "Forbidden")
    driver = informer("watch_server_s=1")
    synced(driver, "a")
    forbidden[0] = True
    driver.expect("trouble forbidden 403")
    assert driver.counts()["keys"] == ["default/a"]
    things(server, "b")
    forbidden[0] = False
    driver.expect("added default/b ")
    assert driver.counts()["lists"] == 1


def test_crd_absent(server, informer):
    absent = [True]
    things(server, "a")
    server.fault = lambda request, reply: absent[0] and reply.text(404, b"404 page not found\n")
    driver = informer()
    assert "404 page not found" in driver.expect("trouble not-found 404")
    driver.expect("trouble not-found 404")
    assert not driver.counts()["synced"]
    absent[0] = False
    synced(driver, "a")


def test_watch_that_dies_silently(server, informer):
    things(server, "a")
    quiet = []

    def fault(request, reply):
        if not request.watch or quiet:
            return False
        quiet.append(request)
        reply.begin()
        time.sleep(5)
        return reply.end()

    server.fault = fault
    driver = informer("watch_idle_ms=300")
    driver.expect("added default/a ")
    things(server, "b")
    driver.expect("added default/b ")
    assert versions(server) == ["101", "101"] and server.connections == 2
    counts = driver.counts()
    assert counts["lists"] == 1 and counts["failures"] == 0, "silence alone is no trouble"


def test_watch_without_headers(server, informer):
    def answer(reply):
        time.sleep(3)
        return reply.fail(500)

    server.fault = once(is_watch, answer)
    driver = informer("watch_idle_ms=300")
    driver.expect("trouble unavailable 0")
    driver.expect("well")


def test_reset_refused_and_back(server, informer):
    things(server, "a")
    driver = informer()
    synced(driver, "a")
    server.cut()
    driver.expect("trouble unavailable 0")
    things(server, "b")
    driver.expect("added default/b ")
    assert driver.counts()["lists"] == 1
    assert versions(server) == ["101", "101"]


def test_delete_and_recreate_under_one_name(server, informer):
    things(server, "a")
    server.fault = once(is_watch, lambda reply: (
        server.api.delete("things", "default", "a", silent=True),
        server.api.put("things", "default", "a", silent=True), reply.fail(410, "Expired"))[-1])
    driver = informer()
    driver.expect("added default/a uid-101")
    driver.expect("deleted default/a uid-101")
    driver.expect("added default/a uid-103")


def test_late_delete_of_a_predecessor(server, informer):
    def answer(reply):
        reply.begin()
        reply.event("DELETED", {"metadata": {"name": "a", "namespace": "default", "uid": "old",
                                             "resourceVersion": "150"}})
        return reply.end()

    things(server, "a")
    server.fault = once(is_watch, answer)
    driver = informer()
    synced(driver, "a")
    driver.until_counts(lambda counts: counts["events"] >= 1)
    assert driver.counts()["keys"] == ["default/a"]


def test_duplicated_events(server, informer):
    thing = {"metadata": {"name": "z", "namespace": "default", "uid": "u", "resourceVersion": "150"}}

    def answer(reply):
        reply.begin()
        for _ in range(3):
            reply.event("ADDED", thing)
        reply.event("DELETED", thing)
        reply.event("DELETED", thing)
        return reply.end()

    server.fault = once(is_watch, answer)
    driver = informer()
    driver.expect("added default/z u 150")
    driver.expect("deleted default/z u 150")
    server.until(is_watch, 2)
    assert [line for line in driver.seen if line.startswith(("added", "updated", "deleted"))] == [
        "added default/z u 150", "deleted default/z u 150"]


def test_missed_events_are_healed_by_the_slow_relist(server, informer):
    things(server, "a", "b")
    driver = informer("relist_ms=500", "watch_server_s=1")
    synced(driver, "a", "b")
    server.api.delete("things", "default", "a", silent=True)
    server.api.put("things", "default", "c", silent=True)
    driver.expect("added default/c ")
    driver.expect("deleted default/a ")


def test_huge_list(server, informer):
    for i in range(1700):
        server.api.put("things", "default", f"n{i:04}", silent=True, data="x" * 100)
    driver = informer()
    driver.expect("well")
    counts = driver.counts()
    assert len(counts["keys"]) == 1700 and counts["lists"] == 1
    assert counts["bytes"] < 1700 * 600
    pages = [request for request in server.log if is_list(request)]
    assert len(pages) == 4 and all(request.query["limit"] == "500" for request in pages)


def test_a_full_cache_leaves_out_whose_is_most(server, informer):
    """The namespace with most objects lacks some and is named; another has all of its own, before and behind it in the list, and from a watch.
    When there is room again, a list mends it."""
    for i in range(50):
        server.api.put("things", "mass", f"n{i:02}", data="x" * 100)
    for namespace in ("a-good", "z-good"):
        server.api.put("things", namespace, "one")
    driver = informer("store_bytes=5000", "room_ms_min=1000", "watch_server_s=2")
    assert driver.expect("left out ") == "left out mass"
    driver.until_counts(lambda counts: {"a-good/one", "z-good/one"} <= set(counts["keys"]) and counts["synced"])
    server.api.put("things", "z-good", "two")
    driver.until_counts(lambda counts: "z-good/two" in counts["keys"])
    counts = driver.counts()
    assert counts["bytes"] <= 5000 and 5 < len(counts["keys"]) < 50
    for i in range(45):
        server.api.delete("things", "mass", f"n{i:02}")
    driver.until_counts(lambda counts: len(counts["keys"]) == 8)
    for i in range(50):  # they come by a watch, from a store that had all
        server.api.put("things", "mass", f"m{i:02}", data="x" * 100)
    assert driver.expect("left out ") == "left out mass"
    for i in range(45):
        server.api.delete("things", "mass", f"m{i:02}")
    driver.until_counts(lambda counts: len(counts["keys"]) == 13)


def test_clock_jump(server, informer):
    things(server, "a")
    driver = informer("watch_idle_ms=60000")
    synced(driver, "a")
    for jump in (86400000, -86400000):
        driver.tell(f"jump {jump}")
        things(server, f"j{abs(jump) + (jump > 0)}")
        driver.expect("added default/j")
    counts = driver.counts()
    assert (counts["lists"], counts["watches"], counts["failures"]) == (1, 1, 0)


def test_watch_that_ends_at_once_again_and_again(server, informer):
    server.fault = lambda request, reply: request.watch and (reply.begin(), reply.end())[-1]
    driver = informer()
    driver.expect("trouble unavailable 0 0 watch /apis/test/v1/things: ended at once without an event")
    driver.until_counts(lambda counts: counts["failures"] >= 4)
    assert driver.counts()["watches"] < 100


def test_stop_is_prompt_in_a_quiet_watch(server, informer):
    driver = informer()
    driver.expect("well")
    begin = time.monotonic()
    driver.stop()
    assert time.monotonic() - begin < 10
