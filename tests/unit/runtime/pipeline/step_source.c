#include "tests/unit/runtime/pipeline/step_source.h"

#include <stdio.h>

static int step_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	(void)err;
	((struct step_source *)source)->stop = stop;
	*lanes = *lanes < source->partitions ? *lanes : (unsigned)source->partitions;
	return 0;
}

static void make_records(struct step_source *self, const struct step *step, struct record_batch *batch)
{
	char *text = self->texts[step->lane];
	size_t used = 0;

	batch->count = 0;
	for (const char *p = step->text; *p; p++) {
		size_t size = 0;

		if (*step->text == '{')
			size = (size_t)snprintf(text + used, 64, "%s", step->text);
		else if (*p == '!')
			size = (size_t)snprintf(text + used, 64, "{bad");
		else
			size = (size_t)snprintf(text + used, 64, "{\"k\":\"%c\"}", *p);
		batch->records[batch->count++] = (struct record){.value = {text + used, size},
		                                                 .offset = self->offsets[step->lane]++,
		                                                 .timestamp_ms = -1,
		                                                 .partition = step->lane};
		used += size;
		if (*step->text == '{')
			return;
	}
}

static enum take step_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                           struct error *err)
{
	struct step_source *self = (struct step_source *)source;
	const struct step *step = &self->steps[self->next[lane]];

	(void)timeout_ms;
	while (step->lane != lane && step->kind != STEP_END)
		step++;
	self->next[lane] = (size_t)(step - self->steps) + (step->kind != STEP_END);
	batch->count = 0;
	if (step->kind == STEP_WAIT)
		witness_wait(self->witness, step->text);
	if (step->ms)
		atomic_store(&self->clock->wall_ms, step->ms);
	if (step->passed_ms > atomic_load(&self->clock->passed_ms))
		atomic_store(&self->clock->passed_ms, step->passed_ms);
	switch (step->kind) {
	case STEP_RECORDS:
		make_records(self, step, batch);
		return TAKE_RECORDS;
	case STEP_BOUNDARY:
		return TAKE_BOUNDARY;
	case STEP_STOP:
		atomic_store(&self->stop->requested, true);
		return TAKE_NOTHING;
	case STEP_FAIL:
		error_set(err, "the log is on fire");
		return TAKE_FAILED;
	case STEP_END:
		return TAKE_END;
	case STEP_WAIT:
	case STEP_NOTHING:
		break;
	}
	return TAKE_NOTHING;
}

static int step_resume(struct source *source, struct error *err)
{
	(void)err;
	witness_note(((struct step_source *)source)->witness, "resume\n");
	return 0;
}

static int step_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct witness *witness = ((struct step_source *)source)->witness;

	(void)err;
	witness_note(witness, "%s %llu at", boundary->pending ? "pending" : "accepted",
	             (unsigned long long)boundary->sequence);
	for (size_t p = 0; p < source->partitions; p++)
		witness_note(witness, " %lld", (long long)to[p]);
	witness_note(witness, "\n");
	return 0;
}

static size_t step_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int step_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void step_close(struct source *source)
{
	atomic_fetch_add(&((struct step_source *)source)->witness->closed, 1);
}

static const struct source_ops step_ops = {
        .name = "steps",
        .open = step_open,
        .take = step_take,
        .resume = step_resume,
        .commit = step_commit,
        .status = step_status,
        .healthy = step_healthy,
        .close = step_close,
};

void step_source_init(struct step_source *source, const struct step *steps, size_t partitions, struct witness *witness,
                      struct scripted_clock *clock)
{
	clock->stands = true;
	*source = (struct step_source){
	        .source = {.ops = &step_ops, .partitions = partitions, .resumable = true},
	        .steps = steps,
	        .witness = witness,
	        .clock = clock,
	};
}
