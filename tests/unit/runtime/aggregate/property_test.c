/*
 * What holds for every aggregate: any split of the input, combined in any order, saved and loaded on the way, finalizes
 * to the same value; load refuses what save did not write; a budget that is out leaves every state whole.
 */
#include "tests/unit/runtime/aggregate/aggregates.h"

#define ROWS   400
#define PARTS  7
#define ROUNDS 12

#define CASES_MAX (AGGREGATE_KINDS * TYPE_COUNT)

/* Every line of the catalog with every type that it takes. */
static struct {
	enum aggregate_kind kind;
	enum type type;
} every_aggregate[CASES_MAX];
static size_t aggregates_count;

static int list_aggregates(void **state)
{
	(void)state;
	for (enum aggregate_kind kind = 0; kind < AGGREGATE_KINDS; kind++) {
		size_t before = aggregates_count;

		for (enum type type = TYPE_NULL; type < TYPE_COUNT; type++) {
			if (!aggregate_argument_takes(aggregate_entry(kind)->arguments[0], type))
				continue;
			every_aggregate[aggregates_count].kind = kind;
			every_aggregate[aggregates_count++].type = type;
		}
		assert_true(aggregates_count > before);
	}
	return 0;
}

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* Values with many equal ones, and every special one. Doubles are exact in any order of addition. */
static void fill(struct column *column, enum type type, char (*texts)[32])
{
	static const double reals[] = {0.0, -0.0, 0x1p-20, -0x1p-20, 0x1p40, 123.25, -123.25};

	column_init(column, type, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		struct value value = {.type = type};

		snprintf(texts[i], sizeof(texts[i]), "%.*s", (int)draw(31), "value-of-many-letters-and-signs");
		if (type == TYPE_STRING)
			value.string = slice_of(texts[i]);
		else if (type == TYPE_DOUBLE)
			value.real = draw(3) ? (double)draw(4000) / 8 - 250 : reals[draw(7)];
		else if (type == TYPE_BOOLEAN)
			value.boolean = draw(2);
		else if (type == TYPE_INT)
			value.bigint = (int32_t)draw(1000) - 500;
		else
			value.bigint = draw(10) ? (int64_t)draw(1000) - 500 : INT64_MAX - draw(2);
		column_set(column, i, value);
	}
}

/* Saves a state and loads it into a new one, which takes its place. */
static void *through_bytes(const struct aggregate *aggregate, void *state, struct budget *budget)
{
	void *loaded = state_new(aggregate);
	struct buffer bytes;
	struct slice rest;
	struct error err;

	buffer_init(&bytes);
	save(aggregate, state, &bytes);
	buffer_append_text(&bytes, "next");
	rest = buffer_slice(&bytes);
	assert_int_equal(load(aggregate, loaded, &rest, budget, &err), 0);
	assert_int_equal(rest.size, 4); /* it takes what is its own */
	state_free(aggregate, state, budget);
	buffer_release(&bytes);
	return loaded;
}

/* Splits the rows, adds each part to a state, then folds the states in a random order. */
static char *split_and_combine(const struct aggregate *aggregate, const struct column *column, struct budget *budget)
{
	void *parts[PARTS];
	char *result;

	for (size_t p = 0; p < PARTS; p++)
		parts[p] = state_new(aggregate);
	for (uint32_t i = 0; i < ROWS; i++) {
		size_t done;

		assert_int_equal(add_rows(aggregate, parts[draw(PARTS)], column, &i, 1, budget, &done), 0);
	}
	for (uint32_t left = PARTS; left > 1; left--) {
		uint32_t into = draw(left), from = draw(left - 1);

		from += from >= into;
		parts[from] = through_bytes(aggregate, parts[from], budget);
		assert_int_equal(combine(aggregate, parts[into], parts[from], budget), 0);
		state_free(aggregate, parts[from], budget);
		parts[from] = parts[left - 1];
	}
	parts[0] = through_bytes(aggregate, parts[0], budget);
	result = result_of(aggregate, parts[0], 0.9);
	state_free(aggregate, parts[0], budget);
	return result;
}

static void combine_test(void **state)
{
	static char texts[ROWS][32];

	(void)state;
	for (size_t a = 0; a < aggregates_count; a++) {
		const struct aggregate *aggregate = aggregate_find(every_aggregate[a].kind, every_aggregate[a].type);
		enum type type = every_aggregate[a].type;
		struct budget budget = {.max_bytes = 1 << 24};

		seed = a + 1;
		for (size_t round = 0; round < ROUNDS; round++) {
			struct column column;
			uint32_t rows[ROWS];
			void *whole = state_new(aggregate);
			char *expected, *found;
			size_t done;

			fill(&column, type == TYPE_NULL ? TYPE_BIGINT : type, texts);
			for (uint32_t i = 0; i < ROWS; i++)
				rows[i] = i;
			assert_int_equal(add_rows(aggregate, whole, &column, rows, ROWS, &budget, &done), 0);
			assert_int_equal(done, ROWS);
			expected = result_of(aggregate, whole, 0.9);
			found = split_and_combine(aggregate, &column, &budget);
			if (strcmp(expected, found) != 0)
				fail_msg("aggregate %zu, round %zu: %s in parts, %s at once", a, round, found,
				         expected);
			free(expected);
			free(found);
			state_free(aggregate, whole, &budget);
			column_release(&column);
			if (budget.used_bytes)
				fail_msg("aggregate %zu: %zu bytes are not given back", a, budget.used_bytes);
		}
	}
}

/* load(save(s)), updated and combined, gives what s gives, updated and combined in the same way. */
static void save_test(void **state)
{
	static char texts[ROWS][32];

	(void)state;
	for (size_t a = 0; a < aggregates_count; a++) {
		const struct aggregate *aggregate = aggregate_find(every_aggregate[a].kind, every_aggregate[a].type);
		enum type type = every_aggregate[a].type;
		struct budget budget = {.max_bytes = 1 << 24};

		for (size_t round = 0; round < ROUNDS; round++) {
			struct column column;
			void *kept = state_new(aggregate), *saved = state_new(aggregate), *other = state_new(aggregate);
			char *expected, *found;
			uint32_t cut;

			seed = a * ROUNDS + round;
			cut = round ? draw(ROWS / 2) : 0; /* of nothing, too */
			fill(&column, type == TYPE_NULL ? TYPE_BIGINT : type, texts);
			for (uint32_t i = 0; i < ROWS; i++) {
				size_t done;

				if (i == cut)
					saved = through_bytes(aggregate, saved, &budget);
				if (i < ROWS / 2) {
					add_rows(aggregate, kept, &column, &i, 1, &budget, &done);
					add_rows(aggregate, saved, &column, &i, 1, &budget, &done);
				} else {
					add_rows(aggregate, other, &column, &i, 1, &budget, &done);
				}
			}
			other = through_bytes(aggregate, other, &budget);
			assert_int_equal(combine(aggregate, kept, other, &budget), 0);
			assert_int_equal(combine(aggregate, saved, other, &budget), 0);
			expected = result_of(aggregate, kept, 0.3);
			found = result_of(aggregate, saved, 0.3);
			if (strcmp(expected, found) != 0)
				fail_msg("aggregate %zu, round %zu: %s after row %u was saved, else %s", a, round,
				         found, cut, expected);
			free(expected);
			free(found);
			state_free(aggregate, kept, &budget);
			state_free(aggregate, saved, &budget);
			state_free(aggregate, other, &budget);
			column_release(&column);
			assert_int_equal(budget.used_bytes, 0);
		}
	}
}

/* A state of some rows, saved. */
static void save_some(const struct aggregate *aggregate, enum type type, struct buffer *bytes)
{
	static char texts[ROWS][32];
	struct budget budget = {.max_bytes = 1 << 24};
	void *one = state_new(aggregate);
	struct column column;

	fill(&column, type == TYPE_NULL ? TYPE_BIGINT : type, texts);
	for (uint32_t i = 0; i < 60; i++) {
		size_t done;

		assert_int_equal(add_rows(aggregate, one, &column, &i, 1, &budget, &done), 0);
	}
	save(aggregate, one, bytes);
	state_free(aggregate, one, &budget);
	column_release(&column);
}

/* Cut at any byte it is refused; changed at any byte it is refused, or is a state that saves as many bytes again. */
static void load_test(void **state)
{
	(void)state;
	for (size_t a = 0; a < aggregates_count; a++) {
		const struct aggregate *aggregate = aggregate_find(every_aggregate[a].kind, every_aggregate[a].type);
		struct budget budget = {.max_bytes = 1 << 20};
		struct buffer bytes;

		seed = a + 1;
		buffer_init(&bytes);
		save_some(aggregate, every_aggregate[a].type, &bytes);
		for (size_t at = 0; at < bytes.size; at++) {
			for (int change = 0; change < 4; change++) {
				/* Of its own size, so that a read past its end is seen. */
				size_t size = change ? bytes.size : at;
				char *copy = malloc(size ? size : 1);
				struct slice rest = {copy, size};
				void *loaded = state_new(aggregate);
				struct error err = {""};
				struct buffer again;
				int result;

				memcpy(copy, bytes.data, size);
				if (change)
					copy[at] = (char)(copy[at] ^ (change == 1 ? 1 : change == 2 ? 0x80 : 0xff));
				result = load(aggregate, loaded, &rest, &budget, &err);
				if (!change && result != AGGREGATE_FAILED)
					fail_msg("aggregate %zu: cut at byte %zu, yet %d", a, at, result);
				if (result == AGGREGATE_FAILED && !err.text[0])
					fail_msg("aggregate %zu: refused at byte %zu without a word", a, at);
				buffer_init(&again);
				save(aggregate, loaded, &again);
				if (!result && again.size != size - rest.size)
					fail_msg("aggregate %zu: byte %zu (%d) is nothing that save writes, yet is "
					         "loaded",
					         a, at, change);
				buffer_release(&again);
				state_free(aggregate, loaded, &budget);
				free(copy);
			}
		}
		buffer_release(&bytes);
	}
}

/* With each budget from nothing on: what is said to be done is done, and the rest can be added later. */
static void budget_test(void **state)
{
	static char texts[ROWS][32];

	(void)state;
	for (size_t a = 0; a < aggregates_count; a++) {
		const struct aggregate *aggregate = aggregate_find(every_aggregate[a].kind, every_aggregate[a].type);
		enum type type = every_aggregate[a].type;
		struct column column;
		uint32_t rows[ROWS];
		struct budget plenty = {.max_bytes = 1 << 24};
		void *whole = state_new(aggregate);
		char *expected;
		size_t done;

		seed = a + 1;
		fill(&column, type == TYPE_NULL ? TYPE_BIGINT : type, texts);
		for (uint32_t i = 0; i < ROWS; i++)
			rows[i] = i;
		add_rows(aggregate, whole, &column, rows, ROWS, &plenty, &done);
		expected = result_of(aggregate, whole, 0.9);
		for (size_t max = 0; max < 40000; max += max < 600 ? 8 : 1000) {
			struct budget budget = {.max_bytes = max};
			void *one = state_new(aggregate), *sum = state_new(aggregate);
			int result = add_rows(aggregate, one, &column, rows, ROWS, &budget, &done);
			char *found;

			if (result && (result != AGGREGATE_OUT_OF_BUDGET || done >= ROWS))
				fail_msg("aggregate %zu, %zu bytes: %d after %zu rows", a, max, result, done);
			if (budget.used_bytes > max)
				fail_msg("aggregate %zu: %zu bytes of %zu", a, budget.used_bytes, max);
			result = combine(aggregate, sum, one, &budget);
			if (result && result != AGGREGATE_OUT_OF_BUDGET)
				fail_msg("aggregate %zu, %zu bytes: combine says %d", a, max, result);
			budget.max_bytes = 1 << 24;
			for (size_t i = done; i < ROWS; i++) {
				size_t one_done;

				add_rows(aggregate, one, &column, &rows[i], 1, &budget, &one_done);
			}
			found = result_of(aggregate, one, 0.9);
			if (strcmp(expected, found) != 0)
				fail_msg("aggregate %zu, %zu bytes, %zu rows: %s, expected %s", a, max, done, found,
				         expected);
			free(found);
			state_free(aggregate, one, &budget);
			state_free(aggregate, sum, &budget);
			assert_int_equal(budget.used_bytes, 0);
		}
		free(expected);
		state_free(aggregate, whole, &plenty);
		column_release(&column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(combine_test), cmocka_unit_test(save_test),
	                                   cmocka_unit_test(load_test), cmocka_unit_test(budget_test)};

	return cmocka_run_group_tests(tests, list_aggregates, NULL);
}
