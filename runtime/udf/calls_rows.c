/*
 * Calls with rows. A batch goes as one request where it has room, else in parts; a row that has no room by itself is a
 * failure of that row.
 */
#include <stdatomic.h>

#include "runtime/udf/results.h"

#define HEADER_BYTES 1024
#define SORT_BITS    8
#define SORT_DIGITS  (1u << SORT_BITS)

struct part { /* rows of a batch that go as one request */
	uint32_t rows[BATCH_ROWS_MAX], slots[BATCH_ROWS_MAX];
	size_t n;
};

static size_t request_bytes(const struct udf_arguments *arguments, const uint32_t *rows, size_t n)
{
	size_t bytes = HEADER_BYTES + n * sizeof(uint32_t);

	for (size_t c = 0; c < arguments->count; c++)
		bytes += wire_column_bytes(arguments->columns[c], rows, n);
	return bytes;
}

/* How many of the next rows have room: 0 where not even one has. */
static size_t rows_that_fit(const struct udf_arguments *arguments, const uint32_t *rows, size_t n)
{
	while (n && request_bytes(arguments, rows, n) > UDF_REQUEST_BYTES_MAX)
		n /= 2;
	return n;
}

static void put_arguments(struct udf_worker *worker, const struct udf_arguments *arguments, const uint32_t *rows,
                          size_t n)
{
	wire_put_u32(&worker->request, (uint32_t)arguments->count);
	for (size_t c = 0; c < arguments->count; c++)
		wire_put_column(&worker->request, arguments->columns[c], rows, n);
}

struct row_call {
	struct udf_worker *worker;
	enum udf_op op;
	unsigned table;                  /* OP_ACCUMULATE */
	struct column *results;          /* OP_EVAL */
	struct row_collector *collector; /* OP_EVAL_TABLE */
	struct row_failures *failures;
	struct udf_failure *ret_failure;
};

static int call_part(const struct row_call *call, const struct udf_arguments *arguments, const uint32_t *rows,
                     const uint32_t *slots, size_t n)
{
	struct udf_worker *worker = call->worker;
	struct udf_counts *counts = worker->environment.counts;

	call_begin(worker);
	if (call->op == OP_ACCUMULATE)
		wire_put_u32(&worker->request, call->table);
	wire_put_u32(&worker->request, (uint32_t)n);
	if (slots)
		wire_put_u32s(&worker->request, slots, n);
	put_arguments(worker, arguments, rows, n);
	if (counts)
		atomic_fetch_add_explicit(&counts->rows, n, memory_order_relaxed);
	if (call_finish(worker, call->op, worker->spec->timeout_ms, rows, n, call->ret_failure) < 0)
		return -1;
	take_failures(worker, rows, n, call->failures);
	if (call->op == OP_EVAL && !worker->in.bad)
		take_values(worker, rows, n, call->results);
	if (call->op == OP_EVAL_TABLE && !worker->in.bad)
		take_rows(worker, rows, n, call->collector);
	return worker->in.bad ? call_garbled(worker, call->ret_failure) : 0;
}

static int call_rows(const struct row_call *call, const struct udf_arguments *arguments, const struct part *all,
                     bool slots)
{
	size_t done = 0;

	while (done < all->n) {
		size_t n = rows_that_fit(arguments, all->rows + done, all->n - done);

		if (!n) {
			add_failure(
			        call->failures, all->rows[done++],
			        "the arguments of this row are larger than a request to a function may be (32 MiB)");
			continue;
		}
		if (call_part(call, arguments, all->rows + done, slots ? all->slots + done : NULL, n) < 0)
			return -1;
		done += n;
	}
	return 0;
}

static void whole(const struct udf_arguments *arguments, struct part *part)
{
	part->n = arguments->n;
	memcpy(part->rows, arguments->rows, arguments->n * sizeof(*part->rows));
}

static int begin(struct udf_worker *worker, struct udf_failure *ret_failure)
{
	pthread_mutex_lock(&worker->mutex);
	call_forget(worker);
	if (!worker->dead)
		return 0;
	*ret_failure = worker->failure;
	return -1;
}

int udf_eval(struct udf_worker *worker, const struct udf_arguments *arguments, struct column *results,
             struct row_failures *failures, struct udf_failure *ret_failure)
{
	struct row_call call = {
	        .worker = worker, .op = OP_EVAL, .results = results, .failures = failures, .ret_failure = ret_failure};
	struct part part;
	int result = begin(worker, ret_failure);

	whole(arguments, &part);
	if (result == 0)
		result = call_rows(&call, arguments, &part, false);
	for (size_t i = 0; result == 0 && i < failures->count; i++)
		for (size_t c = 0; c < worker->results_count; c++)
			results[c].valid[failures->rows[i]] = 0;
	pthread_mutex_unlock(&worker->mutex);
	return result;
}

int udf_eval_table(struct udf_worker *worker, const struct udf_arguments *arguments, struct udf_rows *ret_rows,
                   struct row_failures *failures, struct udf_failure *ret_failure)
{
	struct row_collector collector = {0};
	struct row_call call = {.worker = worker,
	                        .op = OP_EVAL_TABLE,
	                        .collector = &collector,
	                        .failures = failures,
	                        .ret_failure = ret_failure};
	struct part part;
	int result = begin(worker, ret_failure);

	whole(arguments, &part);
	if (result == 0)
		result = call_rows(&call, arguments, &part, false);
	if (result == 0)
		*ret_rows = collected(worker, &collector);
	pthread_mutex_unlock(&worker->mutex);
	return result;
}

/* One digit of the slots: the order of equal ones stays. */
static void sort_by_digit(struct part *part, unsigned shift)
{
	uint32_t places[SORT_DIGITS] = {0}, rows[BATCH_ROWS_MAX], slots[BATCH_ROWS_MAX], place = 0;

	for (size_t i = 0; i < part->n; i++)
		places[(part->slots[i] >> shift) % SORT_DIGITS]++;
	for (size_t d = 0; d < SORT_DIGITS; d++) {
		uint32_t count = places[d];

		places[d] = place;
		place += count;
	}
	for (size_t i = 0; i < part->n; i++) {
		uint32_t to = places[(part->slots[i] >> shift) % SORT_DIGITS]++;

		rows[to] = part->rows[i];
		slots[to] = part->slots[i];
	}
	memcpy(part->rows, rows, part->n * sizeof(*rows));
	memcpy(part->slots, slots, part->n * sizeof(*slots));
}

/* The rows of each slot next to each other, in their own order: a vectorized function is called once for each. */
static void sort_by_slot(struct part *part)
{
	uint32_t all = 0;
	bool sorted = true;

	for (size_t i = 0; i < part->n; i++) {
		all |= part->slots[i];
		sorted &= !i || part->slots[i - 1] <= part->slots[i];
	}
	for (unsigned shift = 0; !sorted && shift < 32 && all >> shift; shift += SORT_BITS)
		sort_by_digit(part, shift);
}

int udf_accumulate(struct udf_worker *worker, unsigned table, const uint32_t *slots,
                   const struct udf_arguments *arguments, struct row_failures *failures,
                   struct udf_failure *ret_failure)
{
	struct row_call call = {.worker = worker,
	                        .op = OP_ACCUMULATE,
	                        .table = table,
	                        .failures = failures,
	                        .ret_failure = ret_failure};
	struct part part;
	int result = begin(worker, ret_failure);

	whole(arguments, &part);
	memcpy(part.slots, slots, part.n * sizeof(*slots));
	if (worker->vectorized)
		sort_by_slot(&part);
	if (result == 0)
		result = call_rows(&call, arguments, &part, true);
	pthread_mutex_unlock(&worker->mutex);
	return result;
}
