#include "runtime/pipeline/functions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"

struct functions *functions_new(const struct jobspec *job, const struct worker_ops *ops,
                                const struct udf_environment *environment, const struct clock *clock)
{
	struct functions *functions = xcalloc(1, sizeof(*functions));

	functions->job = job;
	functions->ops = ops;
	functions->clock = clock;
	functions->count = job->functions_count;
	functions->items = xcalloc(functions->count + 1, sizeof(*functions->items));
	functions->known = xcalloc(functions->count + 1, sizeof(*functions->known));
	functions->workers = xcalloc(LANES_MAX * functions->count + 1, sizeof(struct udf_worker *));
	functions->environments = xcalloc(LANES_MAX * functions->count + 1, sizeof(struct udf_environment));
	functions->dead = xcalloc(LANES_MAX * functions->count + 1, sizeof(bool));
	functions->suspects = xcalloc(LANES_MAX * functions->count + 1, sizeof(struct suspects));
	pthread_mutex_init(&functions->mutex, NULL);
	functions->locks = xcalloc(LANES_MAX * functions->count + 1, sizeof(pthread_mutex_t));
	for (size_t i = 0; i < LANES_MAX * functions->count; i++)
		pthread_mutex_init(&functions->locks[i], NULL);
	quarantine_init(&functions->quarantine);
	for (size_t f = 0; f < functions->count; f++)
		functions->items[f].spec = &job->functions[f];
	for (size_t i = 0; i < LANES_MAX * functions->count; i++) {
		functions->environments[i] = *environment;
		functions->environments[i].lane = (unsigned)(i / functions->count);
		functions->environments[i].counts = &functions->items[i % functions->count].counts;
	}
	return functions;
}

void functions_free(struct functions *functions)
{
	if (!functions)
		return;
	for (size_t i = 0; i < LANES_MAX * functions->count; i++) {
		struct udf_failure failure;
		const struct function_spec *spec = functions->items[i % functions->count].spec;

		if (functions->workers[i] && functions->ops->stop(functions->workers[i], &failure) < 0)
			log_warn("a function did not close", "function=%s error=\"%s\"", spec->name, failure.text);
	}
	for (size_t f = 0; f < functions->count; f++)
		if (functions->items[f].loaded)
			udf_signature_release(&functions->items[f].signature);
	for (size_t i = 0; i < LANES_MAX * functions->count; i++)
		pthread_mutex_destroy(&functions->locks[i]);
	free(functions->locks);
	quarantine_release(&functions->quarantine);
	pthread_mutex_destroy(&functions->mutex);
	free(functions->workers);
	free(functions->environments);
	free(functions->dead);
	free(functions->suspects);
	free(functions->known);
	free(functions->items);
	free(functions);
}

void functions_lock(struct functions *functions, size_t function, unsigned lane)
{
	pthread_mutex_lock(&functions->locks[lane * functions->count + function]);
}

void functions_unlock(struct functions *functions, size_t function, unsigned lane)
{
	pthread_mutex_unlock(&functions->locks[lane * functions->count + function]);
}

struct udf_worker *functions_worker(const struct functions *functions, size_t function, unsigned lane)
{
	return functions->workers[lane * functions->count + function];
}

/* The mutex is held. */
static void set_error(struct functions *functions, struct function_state *state, const char *method, const char *reason,
                      const char *message)
{
	state->error_wall_ms = clock_wall_ms(functions->clock);
	snprintf(state->error_method, sizeof(state->error_method), "%s", method ? method : "");
	snprintf(state->error_reason, sizeof(state->error_reason), "%s", reason);
	snprintf(state->error_message, sizeof(state->error_message), "%s", message);
}

static void interrupt(struct functions *functions)
{
	if (functions->handover)
		handover_interrupt(functions->handover);
}

/* The mutex is held. A function that fails on rows keeps where: whoever calls says it afterwards. */
static void mark(struct functions *functions, struct function_state *state, enum failed_at where)
{
	functions->unhealthy += state->failed_at == FAILED_NOWHERE;
	state->failed_at = where;
}

static void mark_well(struct functions *functions, struct function_state *state)
{
	functions->unhealthy -= state->failed_at != FAILED_NOWHERE;
	if (state->failed_at != FAILED_NOWHERE)
		log_info("function well again", "function=%s", state->spec->name);
	state->failed_at = FAILED_NOWHERE;
}

bool functions_dead(struct functions *functions, size_t function, unsigned lane, struct error *ret_cause)
{
	bool dead;

	pthread_mutex_lock(&functions->mutex);
	dead = functions->dead[lane * functions->count + function];
	if (dead)
		*ret_cause = functions->cause;
	pthread_mutex_unlock(&functions->mutex);
	return dead;
}

int functions_failed(struct functions *functions, size_t function, unsigned lane, enum failed_at where,
                     const struct udf_failure *failure, struct error *err)
{
	struct function_state *state = &functions->items[function];

	if (functions_dead(functions, function, lane, err))
		return -1;
	error_set(err, "function %s: %s", state->spec->name, failure->text);
	log_warn("a function failed", "function=%s method=%s reason=%s lane=%u error=\"%s\"", state->spec->name,
	         failure->method ? failure->method : "", udf_reason_name(failure->reason), lane, failure->text);
	pthread_mutex_lock(&functions->mutex);
	set_error(functions, state, failure->method, udf_reason_name(failure->reason), failure->text);
	mark(functions, state, where);
	functions->dead[lane * functions->count + function] = true;
	functions->cause = *err;
	interrupt(functions);
	pthread_mutex_unlock(&functions->mutex);
	return -1;
}

void functions_failed_until(struct functions *functions, size_t function, uint32_t partition, int64_t offset)
{
	pthread_mutex_lock(&functions->mutex);
	functions->items[function].partition = partition;
	functions->items[function].to_offset = offset;
	pthread_mutex_unlock(&functions->mutex);
}

const char *functions_shown(const struct functions *functions, const char *method, const char *words,
                            char hidden[FUNCTION_HIDDEN_MAX])
{
	if (!functions->hide_values)
		return words;
	snprintf(hidden, FUNCTION_HIDDEN_MAX, "an exception in %.64s; spec.showValues shows it", method);
	return hidden;
}

int functions_raised(struct functions *functions, size_t function, const char *method, const char *message,
                     struct error *err)
{
	struct function_state *state = &functions->items[function];
	char hidden[FUNCTION_HIDDEN_MAX];
	const char *shown = functions_shown(functions, method, message, hidden);

	error_set(err, "function %s, %s: %s", state->spec->name, method, shown);
	log_warn("a function failed", "function=%s method=%s reason=exception error=\"%s\"", state->spec->name, method,
	         shown);
	pthread_mutex_lock(&functions->mutex);
	set_error(functions, state, method, "exception", shown);
	mark(functions, state, FAILED_FIRING);
	functions->cause = *err;
	interrupt(functions);
	pthread_mutex_unlock(&functions->mutex);
	return -1;
}

int functions_stop(struct functions *functions, size_t function, const char *method, const char *message,
                   struct error *err)
{
	struct function_state *state = &functions->items[function];

	error_set(err, "function %s: %s", state->spec->name, message);
	pthread_mutex_lock(&functions->mutex);
	set_error(functions, state, method, "exception", message);
	mark(functions, state, FAILED_FIRING);
	functions->cause = *err;
	functions->stopped = true;
	interrupt(functions);
	pthread_mutex_unlock(&functions->mutex);
	return -1;
}

void functions_note(struct functions *functions, size_t function, const char *method, const char *message)
{
	struct function_state *state = &functions->items[function];
	char hidden[FUNCTION_HIDDEN_MAX];
	const char *shown = functions_shown(functions, method, message, hidden);

	uint64_t unsaid;

	pthread_mutex_lock(&functions->mutex);
	set_error(functions, state, method, "exception", shown);
	unsaid = repeat_due(&state->raised, 1, clock_monotonic_ms(functions->clock));
	pthread_mutex_unlock(&functions->mutex);
	if (unsaid)
		log_warn("a function raised", "function=%s method=%s times=%" PRIu64 " error=\"%s\"", state->spec->name,
		         method, unsaid, shown);
}

void functions_passed(struct functions *functions, const struct record_batch *records)
{
	if (!atomic_load_explicit(&functions->unhealthy, memory_order_relaxed))
		return;
	pthread_mutex_lock(&functions->mutex);
	for (size_t f = 0; f < functions->count; f++) {
		struct function_state *state = &functions->items[f];
		bool passed = false;

		for (size_t i = 0; i < records->count && state->failed_at == FAILED_ON_ROWS && !passed; i++)
			passed = records->records[i].partition == state->partition &&
			         records->records[i].offset >= state->to_offset;
		if (passed)
			mark_well(functions, state);
	}
	pthread_mutex_unlock(&functions->mutex);
}

void functions_accepted(struct functions *functions, const int64_t *to, size_t partitions)
{
	quarantine_forget(&functions->quarantine, to, partitions);
	pthread_mutex_lock(&functions->mutex);
	functions->progress = true;
	for (size_t f = 0; f < functions->count; f++)
		if (functions->items[f].failed_at == FAILED_FIRING)
			mark_well(functions, &functions->items[f]);
	pthread_mutex_unlock(&functions->mutex);
}

int functions_healthy(struct functions *functions, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&functions->mutex);
	for (size_t f = 0; f < functions->count && !result; f++) {
		const struct function_state *state = &functions->items[f];

		if (state->failed_at != FAILED_NOWHERE)
			result = error_set(err, "function %s: %s", state->spec->name, state->error_message);
	}
	pthread_mutex_unlock(&functions->mutex);
	return result;
}

struct user_function functions_known(const struct function_spec *spec, const struct udf_signature *signature)
{
	return (struct user_function){
	        .name = spec->name,
	        .kind = spec->kind,
	        .known = true,
	        .arguments_min = signature->arguments_min,
	        .arguments_max = signature->arguments_max,
	        .argument_types = signature->argument_types,
	        .argument_types_count = signature->argument_types_count,
	        .results = signature->results,
	};
}

/* The columns of the job were made for what the first worker declared: another, or a later one, that declares something
 * else is ended. Releases the signature. */
static bool says_the_same(struct functions *functions, size_t f, struct udf_worker *worker,
                          struct udf_signature *signature, struct udf_failure *ret_failure)
{
	const struct function_state *state = &functions->items[f];
	bool same = udf_signature_equal(signature, &state->signature);

	udf_signature_release(signature);
	if (same)
		return true;
	functions->ops->stop(worker, NULL);
	*ret_failure = (struct udf_failure){
	        .reason = UDF_START, .function = state->spec->name, .method = "import", .row = UDF_NO_ROW};
	snprintf(ret_failure->text, sizeof(ret_failure->text),
	         "function %s, import: its code declares other arguments or results than when the job began; what it "
	         "declares must not depend on the time, chance or a file. Start the job again if the code was changed",
	         state->spec->name);
	return false;
}

static int start_one(struct functions *functions, size_t f, unsigned lane, struct error *err)
{
	struct function_state *state = &functions->items[f];
	struct udf_worker **worker = &functions->workers[lane * functions->count + f];
	struct udf_signature signature;
	struct udf_worker *started;
	struct udf_failure failure;

	if (*worker)
		return 0;
	started = functions->ops->start(state->spec, &functions->environments[lane * functions->count + f], &signature,
	                                &failure);
	if (started && state->loaded && !says_the_same(functions, f, started, &signature, &failure))
		started = NULL;
	if (!started)
		return functions_failed(functions, f, lane, FAILED_STARTING, &failure, err);
	pthread_mutex_lock(&functions->mutex);
	*worker = started;
	pthread_mutex_unlock(&functions->mutex);
	if (!state->loaded) { /* by functions_load, before there are lanes */
		state->signature = signature;
		functions->known[f] = functions_known(state->spec, &state->signature);
		state->loaded = true;
	}
	pthread_mutex_lock(&functions->mutex);
	if (state->failed_at == FAILED_STARTING)
		mark_well(functions, state);
	pthread_mutex_unlock(&functions->mutex);
	return 0;
}

int functions_start(struct functions *functions, unsigned lane, struct error *err)
{
	for (size_t f = 0; f < functions->count; f++)
		if (start_one(functions, f, lane, err) < 0)
			return -1;
	return 0;
}

int functions_load(struct functions *functions, struct error *err)
{
	return functions_start(functions, 0, err);
}

void functions_attach(struct functions *functions, struct handover *handover)
{
	if (!functions)
		return;
	pthread_mutex_lock(&functions->mutex);
	functions->handover = handover;
	pthread_mutex_unlock(&functions->mutex);
}

const char *functions_not_mergeable(const struct functions *functions)
{
	for (size_t f = 0; f < functions->count; f++) {
		const struct udf_signature *signature = &functions->items[f].signature;

		if ((signature->kind == FUNCTION_AGGREGATE || signature->kind == FUNCTION_TABLE_AGGREGATE) &&
		    !signature->mergeable)
			return functions->items[f].spec->name;
	}
	return NULL;
}

static bool clear_tables(struct functions *functions, size_t f, struct udf_worker *worker)
{
	enum function_kind kind = functions->items[f].spec->kind;
	struct udf_failure failure;

	if (kind == FUNCTION_SCALAR || kind == FUNCTION_TABLE)
		return true;
	for (unsigned t = 0; t < PARTIALS_PER_LANE; t++)
		if (functions->ops->clear(worker, t, &failure) < 0)
			return false;
	return true;
}

void functions_recover(struct functions *functions, unsigned lanes)
{
	for (unsigned l = 0; l < lanes; l++) {
		for (size_t f = 0; f < functions->count; f++) {
			struct udf_worker **worker = &functions->workers[l * functions->count + f];
			bool *dead = &functions->dead[l * functions->count + f];
			struct udf_worker *gone;

			if (!*worker || (!*dead && clear_tables(functions, f, *worker))) {
				*dead = false;
				continue;
			}
			gone = *worker;
			pthread_mutex_lock(&functions->mutex);
			*worker = NULL; /* before its end: the metrics' page looks at it */
			functions->items[f].restarts++;
			pthread_mutex_unlock(&functions->mutex);
			functions->ops->stop(gone, NULL);
			*dead = false;
		}
	}
}
