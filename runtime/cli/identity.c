#include "runtime/cli/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/process/file.h"

#define KNOWN_BYTES_MAX 65536

/* The host's name (a pod's), and what no other process of that name has. */
static void name_process(char *process, size_t size)
{
	char host[65] = "";
	uint32_t number;

	if (gethostname(host, sizeof(host) - 1) < 0)
		snprintf(host, sizeof(host), "localhost");
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		abort();
	snprintf(process, size, "%s-%ld-%08" PRIx32, host, (long)getpid(), number);
}

static int parse_known(const char *path, struct slice text, struct sink_held *known, struct error *err)
{
	json_error_t json_err;
	json_t *root = json_loadb(text.data, text.size, 0, &json_err);
	const char *life = json_string_value(json_object_get(root, "life"));
	const json_t *sequence = json_object_get(root, "sequence");
	bool good = life && strlen(life) < sizeof(known->life) && json_is_integer(sequence) &&
	            json_integer_value(sequence) >= 0;

	if (good) {
		snprintf(known->life, sizeof(known->life), "%s", life);
		known->sequence = (uint64_t)json_integer_value(sequence);
	}
	json_decref(root);
	return good ? 0 : error_set(err, "%s: {\"life\": \"…\", \"sequence\": N} is needed, or no file", path);
}

/* What the operator wrote of the life before; no file, or an empty one: nothing. */
static int read_known(const char *path, struct sink_held *known, struct error *err)
{
	struct buffer text;
	int result = 0;

	buffer_init(&text);
	if (access(path, F_OK) == 0) {
		result = file_read(path, KNOWN_BYTES_MAX, &text, err);
		if (!result && text.size)
			result = parse_known(path, buffer_slice(&text), known, err);
	}
	buffer_release(&text);
	return result;
}

int run_identity_init(struct run_identity *identity, const struct jobspec *job, const struct run_options *options,
                      struct error *err)
{
	*identity = (struct run_identity){
	        .job = {.owner = identity->owner,
	                .process = identity->process,
	                .query = identity->query,
	                .drain_ms = job->termination_grace_ms,
	                .rollout = options->rollout,
	                .take_over = options->take_over,
	                .drop_pending = options->drop_pending,
	                .drop_query = options->drop_query},
	};
	snprintf(identity->owner, sizeof(identity->owner), "%s/%s/%s",
	         options->owner_cluster ? options->owner_cluster : "", job->namespace, job->name);
	name_process(identity->process, sizeof(identity->process));
	jobspec_query_hash(job, identity->query);
	return options->known ? read_known(options->known, &identity->job.known, err) : 0;
}
