/*
 * A worker that declares and answers what chance says: valid replies, replies of which words or lengths were changed,
 * random bytes, no reply at all, a reply to another request, an end in the middle, and a thread that goes on changing
 * what the runtime reads. fuzz_runtime.c starts it in place of streamjob-worker; its seed stands in the entrypoint.
 */
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/data/type.h"
#include "runtime/udf/protocol.h"

#define RESULTS_MAX 32
#define ROWS_MAX    4096
#define SPARE_MS    40 /* how late a late reply is */

static uint64_t state;
static struct udf_control *control;
static uint32_t types[RESULTS_MAX], types_count, reply_bytes;
static bool scalar, gentle;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(next() % n);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* A number that some check may have forgotten. */
static uint32_t odd_number(void)
{
	static const uint32_t numbers[] = {0,         1,          2,          3,          7,
	                                   31,        32,         33,         1023,       1024,
	                                   1025,      4096,       65536,      1u << 24,   (1u << 25) + 1,
	                                   1u << 29,  0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe,
	                                   0xffffffff};

	return one_in(4) ? (uint32_t)next() : numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
}

static void put(const void *bytes, uint32_t size)
{
	uint32_t at = (reply_bytes + 7) & ~7u;

	if (at > UDF_REPLY_BYTES_MAX || size > UDF_REPLY_BYTES_MAX - at)
		return;
	memcpy(udf_reply_area(control) + at, bytes, size);
	reply_bytes = at + size;
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put_text(const char *text, uint32_t size)
{
	put_u32(size);
	put(text, size);
}

static void put_column(uint32_t type, uint32_t n)
{
	static uint8_t valid[ROWS_MAX];
	static uint64_t values[ROWS_MAX];
	static uint32_t offsets[ROWS_MAX + 1];
	static char bytes[16 * ROWS_MAX];
	uint32_t width = type == TYPE_BOOLEAN ? 1 : type == TYPE_INT ? 4 : 8;

	for (uint32_t i = 0; i < n; i++) {
		valid[i] = !one_in(5);
		values[i] = type == TYPE_BOOLEAN ? next() & 0x0101010101010101u : next();
		offsets[i + 1] = offsets[i] + below(16);
	}
	put_u32(type);
	put(valid, n);
	if (type != TYPE_STRING) {
		put(values, n * width);
		return;
	}
	memset(bytes, 'a' + (int)below(26), offsets[n]);
	put(offsets, (n + 1) * (uint32_t)sizeof(*offsets));
	put(bytes, offsets[n]);
}

static void declare(void)
{
	uint32_t arguments = one_in(8) ? odd_number() : 0, said;

	put_u32(one_in(4)); /* vectorized */
	put_u32(!one_in(8));
	put_u32(one_in(16) ? odd_number() : 0);
	put_u32(one_in(16) ? odd_number() : 32);
	put_u32(arguments);
	for (uint32_t i = 0; i < arguments && i < RESULTS_MAX; i++)
		put_u32(one_in(20) ? odd_number() : TYPE_BOOLEAN + below(TYPE_COUNT - TYPE_BOOLEAN));
	types_count = scalar ? 1 : 1 + below(one_in(6) ? RESULTS_MAX : 3);
	if (one_in(6))
		types_count = 1 + below(RESULTS_MAX);
	said = one_in(20) ? odd_number() : types_count;
	put_u32(said);
	for (uint32_t i = 0; i < types_count; i++) {
		types[i] = TYPE_BOOLEAN + below(TYPE_COUNT - TYPE_BOOLEAN);
		put_text("field\xff", one_in(40) ? 6 : 5);
		put_u32(one_in(40) ? odd_number() : types[i]);
	}
}

static void put_failures(uint32_t n)
{
	uint32_t count = n && one_in(4) ? below(n) + 1 : 0;

	put_u32(one_in(60) ? odd_number() : count);
	for (uint32_t i = 0; i < count; i++) {
		put_u32(one_in(60) ? odd_number() : below(n));
		put_text("ValueError: \xff\xfe", one_in(10) ? 14 : 11);
	}
}

static void put_rows(uint32_t n)
{
	static uint32_t parents[ROWS_MAX];
	uint32_t count = n ? below(ROWS_MAX) : 0, parent = 0;

	for (uint32_t i = 0; i < count; i++) {
		parent += parent + 1 < n && one_in(3);
		parents[i] = one_in(4000) ? odd_number() : parent;
	}
	put_u32(count);
	put(parents, count * (uint32_t)sizeof(*parents));
	for (uint32_t c = 0; c < types_count; c++)
		put_column(types[c], count);
}

/* What a good worker might say to it. */
static void answer(uint32_t op, const uint32_t *request)
{
	bool slots = op != OP_EVAL && op != OP_EVAL_TABLE;
	uint32_t n = request[slots ? 2 : 0]; /* each number has 8 bytes */

	if (n > ROWS_MAX)
		n = ROWS_MAX;
	put_failures(n);
	if (op == OP_EVAL_TABLE || op == OP_EMIT)
		put_rows(n);
	for (uint32_t c = 0; (op == OP_EVAL || op == OP_VALUES) && c < types_count; c++)
		put_column(one_in(200) ? TYPE_BOOLEAN + below(TYPE_COUNT - TYPE_BOOLEAN) : types[c],
		           one_in(200) ? odd_number() % ROWS_MAX : n);
	if (op == OP_SAVE)
		put_column(TYPE_STRING, n);
}

static void change(void)
{
	char *area = udf_reply_area(control);

	for (uint32_t changes = below(4) + 1; changes && reply_bytes; changes--) {
		uint32_t at = below(reply_bytes), value = odd_number();

		if (one_in(2) && reply_bytes >= sizeof(value))
			memcpy(area + (below(reply_bytes) & ~3u), &value, sizeof(value));
		else
			area[at] = (char)next();
	}
	if (one_in(5))
		reply_bytes = one_in(3) ? odd_number() : below(reply_bytes + 1);
}

static void noise(void)
{
	uint32_t words = one_in(10) ? 1u << 18 : 1u << 8;

	for (uint32_t i = 0; i < words; i++) {
		uint32_t word = odd_number();

		memcpy(udf_reply_area(control) + (size_t)i * sizeof(word), &word, sizeof(word));
	}
	reply_bytes = one_in(4) ? odd_number() : below(words * (uint32_t)sizeof(uint32_t) + 1);
}

/* While the runtime reads: lengths and words of the head, of the metrics and of the reply. */
static void *scribble(void *unused)
{
	uint64_t own = next();
	bool numbers = one_in(3);

	(void)unused;
	for (;;) {
		uint32_t *words = (uint32_t *)(void *)udf_reply_area(control);

		own = own * 6364136223846793005u + 1442695040888963407u;
		switch (own >> 61) {
		case 0:
			control->reply_bytes = (uint32_t)(own >> 20);
			break;
		case 1:
			control->metrics[(own >> 40) % UDF_SHARED_METRICS_MAX].labels_count = (uint32_t)(own >> 33);
			break;
		case 2:
			if (numbers)
				control->reply_number = (uint32_t)(own >> 33) % 64;
			break;
		case 3:
			control->reply_status = (uint32_t)(own >> 33) % 6;
			break;
		default:
			words[(own >> 40) % 1024] = (uint32_t)(own >> 17);
		}
	}
	return NULL;
}

static void put_metrics(void)
{
	control->metrics_count = one_in(4) ? odd_number() : below(UDF_SHARED_METRICS_MAX);
	for (uint32_t i = 0; i < UDF_SHARED_METRICS_MAX; i++) {
		struct udf_shared_metric *metric = &control->metrics[i];

		memset(metric->name, one_in(4) ? (int)below(256) : 'm', sizeof(metric->name));
		metric->name[below(sizeof(metric->name))] = one_in(3) ? '\0' : 'x';
		metric->kind = odd_number();
		metric->labels_count = one_in(2) ? odd_number() : 1;
		memset(metric->labels, one_in(4) ? (int)below(256) : 'l', sizeof(metric->labels));
	}
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* 0: reply; 1: do not; an end does not come back. */
static int deed(void)
{
	switch (gentle ? 1000 : below(400)) {
	case 0:
		_exit((int)below(80));
	case 1:
		abort();
	case 2:
		return 1;
	case 3:
		pause_ms(SPARE_MS);
		return 0;
	case 4:
		for (int i = 0; i < 3000; i++)
			dprintf(1 + (int)below(2), "%0*d\xff\n", (int)below(300), i);
		return 0;
	default:
		return 0;
	}
}

static void reply(uint32_t op, uint32_t number)
{
	uint32_t status = REPLY_OK;

	reply_bytes = 0;
	if (op == OP_START)
		declare();
	else if (op != OP_CLOSE && op != OP_CLEAR)
		answer(op, (const uint32_t *)(const void *)udf_request_area(control));
	else
		put_u32(0);
	if (!gentle && one_in(12))
		change();
	else if (!gentle && one_in(40))
		noise();
	if (!gentle && one_in(40))
		status = one_in(4) ? odd_number() : REPLY_OK + below(5);
	put_metrics();
	control->method = one_in(10) ? odd_number() : METHOD_EVAL;
	control->row = one_in(10) ? odd_number() : 0;
	control->reply_status = status;
	control->reply_bytes = reply_bytes;
	control->reply_number = !gentle && one_in(100) ? odd_number() : number;
}

/* The seed and the kind, from the request: its sixth and seventh text, after the memory and the flags. */
static void read_seed(void)
{
	const char *at = udf_request_area(control) + 2 * sizeof(uint64_t);

	for (int text = 0; text < 7; text++) {
		uint32_t size;

		memcpy(&size, at, sizeof(size));
		at += 8;
		if (text == 5)
			state = strtoull(at + 2, NULL, 10);
		if (text == 6)
			scalar = size == 6;
		at += (size + 7) & ~7u;
	}
	gentle = one_in(3);
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void wake(void)
{
	if (!gentle && one_in(100)) /* the sleeper goes to another word */
		syscall(SYS_futex, &control->reply_number, FUTEX_REQUEUE, 0, INT_MAX, &control->metrics_count, 0);
	futex(&control->reply_number, FUTEX_WAKE, INT_MAX);
	for (int i = 0; !gentle && one_in(50) && i < 1000; i++)
		futex(&control->reply_number, FUTEX_WAKE, INT_MAX);
}

int main(void)
{
	uint32_t number = 0;
	pthread_t thread;

	control = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, UDF_FD_MEMORY, 0);
	if (control == MAP_FAILED)
		return 1;
	for (;;) {
		uint32_t op;

		while (control->request_number == number)
			futex(&control->request_number, FUTEX_WAIT, number);
		number = control->request_number;
		op = control->op;
		if (op == OP_START)
			read_seed();
		if (op == OP_START && !gentle && one_in(6))
			pthread_create(&thread, NULL, scribble, NULL);
		if (deed())
			continue;
		reply(op, number);
		wake();
		if (op == OP_CLOSE)
			return 0;
	}
}
