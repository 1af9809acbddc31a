"""What a whole run of this suite under a sanitizer leaves out, and why.

A sanitizer judges the code that runs, whatever comes out of it. A test is run under both unless it stands here: a new one is. What
may stand here:

    ONE_THREAD      its matter is one thread's: bytes, names, rights, what is read of a file. ThreadSanitizer leaves it out.
    SAME_WAY        another test, which is run, takes its way through the program and meets the same threads; only values, the moment of
                    a kill or a server's words differ.
    ROWS            of such a table, the rows that are run; the others take the way of one of them.

What has a way of its own through the program, or threads that meet as in no other test, stays. `SAN=thread tests/integration/run.sh
test_x.py` runs all that it names. An entry that is no test's is an error.
"""

import os

import pytest

ONE_THREAD = [
    "test_bytes.py",
    "test_input.py",
    "test_kafka_security.py",
    "test_pushgateway_groups.py",
    "test_pushgateway_series.py",
    "test_bad_rows.py::test_a_bad_row_fails_the_job_where_it_says_so",
    "test_clock_order.py::test_a_partition_of_nothing_holds_nobody_up",
    "test_clock_order.py::test_a_row_that_is_bad_is_counted_once_and_moves_no_clock",
    "test_clock_order.py::test_records_that_are_arrays",
    "test_delivery.py::test_the_first_start_at_latest_is_written_down_at_once",
    "test_functions.py::test_a_laptop_sees_print_and_traceback",
    "test_kafka_faults.py::test_a_topic_made_anew_while_the_job_was_away",
    "test_kafka_sink.py::test_a_dead_letter_that_is_too_large_is_cut_and_kept",
    "test_kafka_sink.py::test_a_row_that_is_too_large_fails_the_job_where_it_says_so",
    "test_life.py::test_metadata_that_is_not_known_fails_the_start_and_stays",
    "test_life.py::test_a_life_that_the_operator_knows_and_the_group_does_not_is_a_loss",
    "test_no_transactions.py::test_a_right_that_is_missing_is_named_and_waited_for",
    "test_no_transactions.py::test_a_sink_that_needs_transactions_says_so",
    "test_owner.py::test_a_run_against_a_group_that_another_job_owns_touches_nothing",
    "test_previous.py::test_without_the_earlier_file_the_start_says_what_is_needed",
    "test_previous.py::test_a_changed_sink_of_the_same_query_needs_no_earlier_file",
    "test_pushgateway.py::test_400_fails_the_job_where_it_says_so_and_the_next_start_delivers",
    "test_pushgateway.py::test_a_proxy_that_loses_the_type_of_the_content",
    "test_status.py::test_json_logs_are_json",
    "test_topic_anew.py::test_under_a_stopped_job_it_is_found_by_its_id",
]

SAME_WAY = {
    # test: the test that is run
    "test_delivery.py::test_killed_at_random_moments_loses_nothing_and_counts_nothing_twice": "test_chaos.py, which kills the same job",
    "test_kafka_faults.py::test_kafka_away_at_the_start": "test_kafka_away_and_back, and test_a_topic_that_does_not_exist for the start",
    "test_no_transactions.py::test_the_same_broker_fences_where_it_may": "every test with a broker that has transactions",
    "test_pushgateway.py::test_a_stop_in_time_though_the_gateway_never_answers": "test_status.py::test_a_second_signal_ends_at_once",
    "test_pushgateway.py::test_a_request_that_is_cut_off_anywhere_changes_nothing": "test_chaos.py; what is cut here is the gateway's to read",
}

ROWS = {
    "test_bad_rows.py::test_malformed_rows_are_dead_lettered_and_the_others_unharmed": ["kafka"],
    "test_clock_order.py::test_unequal_partitions": ["ts"],
    "test_functions.py::test_bad_function_is_named_and_the_job_recovers_exactly": [
        "sleeps in import", "sleeps in accumulate", "dies of a signal", "eats memory", "raises in get_value", "raises in merge"],
    "test_kafka_security.py::test_dead_letters_through_a_secured_listener": ["PLAIN"],
    "test_kafka_security.py::test_windows_through_a_secured_listener": ["a client's certificate"],
    "test_kafka_security.py::test_a_mended_secret_is_taken_without_a_restart": ["password"],
    "test_kafka_sink.py::test_a_row_that_is_too_large_costs_no_other": ["two among many"],
    "test_kafka_sink.py::test_a_dead_letter_that_is_too_large_is_cut_and_kept": ["it takes less"],
    "test_life.py::test_metadata_that_is_not_known_fails_the_start_and_stays": ["a tool's-0", "of a newer version-2", "cut off-0", "without its mark's parts-2"],
    "test_life.py::test_a_life_that_the_operator_knows_and_the_group_does_not_is_a_loss": ["deleted_group"],
    "test_life.py::test_a_sink_that_knows_an_earlier_life_makes_lost_offsets_a_loss": ["deleted_group-pushgateway", "deleted_group-kafka", "deleted_group-file"],
    "test_life.py::test_another_topic_or_group_is_a_new_life_that_no_sink_takes_for_the_old": ["kafka"],
    "test_log.py::test_markers_and_aborted_records_are_no_lag_and_no_loss": ["ends3"],
    "test_log.py::test_a_stop_ends_in_time_though_the_broker_does_not_answer": ["hangs_with_a_window", "hangs_while_connecting"],
    "test_no_transactions.py::test_a_right_that_is_missing_is_named_and_waited_for": ["transactional id", "topic"],
    "test_owner.py::test_a_run_against_a_group_that_another_job_owns_touches_nothing": ["another name"],
    "test_previous.py::test_the_earlier_file_finishes_what_it_began": ["columns and aggregates", "a function's code"],
    "test_pushgateway.py::test_a_sick_gateway_costs_nothing": [
        "500-the gateway answered 500: scripted failure", "unanswered-timed out"],
    "test_pushgateway.py::test_a_refused_window_adds_to_no_counter": ["413-is killed"],
    "test_pushgateway_groups.py::test_the_group_of_another_grouping_key_goes": ["a label more", "an empty value"],
    "test_pushgateway_series.py::test_keys_that_are_one_series_cost_nothing": ["two of three keys empty"],
    "test_topic_anew.py::test_under_a_stopped_job_it_is_found_by_its_id": ["earliest"],
}


def left_out(test, sanitizer):
    """test: file::name[row], as pytest has it."""
    name, _, row = test.partition("[")
    if name in SAME_WAY or (name in ROWS and row[:-1] not in ROWS[name]):
        return True
    return sanitizer == "thread" and (name in ONE_THREAD or name.partition("::")[0] in ONE_THREAD)


def check(tests):
    """That every entry is a test's."""
    names = {name for test in tests for name in (test, test.partition("[")[0], test.partition("::")[0])}
    entries = {*ONE_THREAD, *SAME_WAY, *ROWS, *(f"{test}[{row}]" for test, rows in ROWS.items() for row in rows)}
    if unknown := sorted(entries - names):
        raise pytest.UsageError(f"choice.py names what is no test: {', '.join(unknown)}")


def choose(config, items):
    """STREAMJOB_TEST_SANITIZER is set by run.sh, for a whole run."""
    sanitizer = os.environ.get("STREAMJOB_TEST_SANITIZER")
    if not sanitizer:
        return
    if not config.getoption("lf", False):  # then only files are read in which a test has failed
        check([item.nodeid for item in items])
    out = {item for item in items if left_out(item.nodeid, sanitizer)}
    if out:
        config.hook.pytest_deselected(items=sorted(out, key=items.index))
        items[:] = [item for item in items if item not in out]
