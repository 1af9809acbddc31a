#include "runtime/pipeline/recent.h"

#include <string.h>

void recent_init(struct recent *recent, int64_t now_ms)
{
	*recent = (struct recent){.samples[0] = {.at_ms = now_ms}, .count = 1};
}

static void keep(struct recent *recent, const struct recent_sample *now)
{
	if (now->at_ms - recent->samples[recent->count - 1].at_ms < RECENT_STEP_MS)
		return;
	if (recent->count == RECENT_SAMPLES) {
		memmove(recent->samples, recent->samples + 1, sizeof(recent->samples) - sizeof(recent->samples[0]));
		recent->count--;
	}
	recent->samples[recent->count++] = *now;
}

struct recent_figures recent_look(struct recent *recent, const struct recent_sample *now)
{
	struct recent_sample oldest = recent->samples[0];
	struct recent_figures figures = {0};
	int64_t passed_ms = now->at_ms - oldest.at_ms;
	uint64_t rows = now->rows - oldest.rows;

	if (now->rows < oldest.rows || now->bad < oldest.bad) {
		recent_init(recent, now->at_ms);
		recent->samples[0] = *now;
		return figures;
	}
	keep(recent, now);
	if (passed_ms > 0)
		figures.rows_per_second = (double)rows * 1000 / (double)passed_ms;
	if (rows)
		figures.bad_share = (double)(now->bad - oldest.bad) / (double)rows;
	if (figures.bad_share > 1)
		figures.bad_share = 1;
	return figures;
}
