#include "runtime/pushgateway/stale.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/pushgateway/group.h"
#include "runtime/pushgateway/pushgateway.h"

struct former {
	struct former_group group;
	struct http *http; /* NULL: not asked yet */
	struct backoff backoff;
	unsigned attempts;
	bool over;
};

/* Groups that the job pushed under another name, each in one attempt. */
static void delete_renamed(struct pushgateway *push)
{
	while (push->held.stale_count && backoff_wait(&push->backoff, push->stop, 0)) {
		char **path = &push->held.stale[push->held.stale_count - 1];
		size_t size = push->base_url.size;
		enum sink_outcome outcome;
		struct error err;

		buffer_append_text(&push->base_url, *path);
		outcome = push_attempt(push, "DELETE", push->base_url.data, (struct slice){"", 0}, &err);
		push->base_url.size = size;
		push->base_url.data[size] = '\0';
		if (outcome == SINK_ACCEPTED)
			log_info("group deleted: the job has another one now", "sink=\"%s\" group=\"%s\"", push->target,
			         *path);
		else
			log_warn("group not deleted, though the job has another one now", "group=\"%s\" error=\"%s\"",
			         *path, err.text);
		if (outcome == SINK_RETRY || outcome == SINK_FENCED)
			return;
		free(*path);
		push->held.stale_count--;
	}
}

/* 0, or -1: no answer of success. */
static int ask(struct pushgateway *push, struct former *former, const char *method, const char *url,
               const struct lease *lease, struct error *err)
{
	const struct http_request request = {.method = method, .url = url, .lease = lease};
	int64_t retry_after_ms;
	int status = http_request(former->http, &request, &push->answer, &retry_after_ms, err);

	if (status && (status < 200 || status >= 300))
		error_write(err, "the gateway answered %d", status);
	return status >= 200 && status < 300 ? 0 : -1;
}

/* 1: the gateway has the group, and it is this job's; 0: it has not; -1: it cannot be asked. */
static int look_for(struct pushgateway *push, struct former *former, struct error *err)
{
	enum held_read read = HELD_FAILED;
	struct buffer url;
	struct held held;
	int result = 0;

	buffer_init(&url);
	group_list_url(former->group.spec, &url);
	if (ask(push, former, "GET", url.data, NULL, err) == 0)
		read = held_read(push->job, former->group.spec, "", 1, buffer_slice(&push->answer), NULL, &held, err);
	buffer_release(&url);
	buffer_release(&push->answer);
	if (read != HELD_READ)
		return -1;
	result = life_same_place(held.window.life, former->group.place);
	held_release(&held);
	return result;
}

static int delete_former(struct pushgateway *push, struct former *former, const char *name, struct error *err)
{
	int there = look_for(push, former, err), result;
	struct buffer url;

	if (there <= 0)
		return there;
	if (lease_take(push->sink.lease, err) != RENEWED)
		return error_prefix(err, "the job's lease cannot be renewed");
	buffer_init(&url);
	group_url(former->group.spec, true, &url);
	result = ask(push, former, "DELETE", url.data, push->sink.lease, err);
	buffer_release(&url);
	if (!result)
		log_info("group deleted: the job file before this one named it", "group=\"%s\"", name);
	return result;
}

static void try_former(struct pushgateway *push, struct former *former)
{
	struct buffer name;
	struct error err;

	if (!former->http) {
		former->http = http_new(former->group.spec, push->secrets_dir, push->stop);
		backoff_init(&former->backoff, push->clock, (uint64_t)(uintptr_t)former);
	}
	if (!backoff_wait(&former->backoff, push->stop, 0))
		return;
	buffer_init(&name);
	group_url(former->group.spec, false, &name);
	if (delete_former(push, former, name.data, &err) == 0) {
		former->over = true;
	} else {
		former->over = ++former->attempts == FORMER_ATTEMPTS_MAX;
		backoff_failed(&former->backoff, 0);
		if (former->over)
			log_warn("a group that the job file before this one named may still be there, with values that "
			         "do not change any more: delete it by hand",
			         "group=\"%s\" error=\"%s\"", name.data, err.text);
	}
	buffer_release(&name);
}

void stale_delete(struct pushgateway *push)
{
	delete_renamed(push);
	for (size_t i = 0; i < push->former_count; i++) {
		if (push->former[i].over)
			continue;
		try_former(push, &push->former[i]);
		return; /* one request a time: the next window may come */
	}
}

void pushgateway_sink_replaces(struct sink *sink, const struct former_group *groups, size_t count)
{
	struct pushgateway *push = (struct pushgateway *)sink;

	push->former = xcalloc(count + 1, sizeof(*push->former));
	push->former_count = count;
	for (size_t i = 0; i < count; i++)
		push->former[i].group = groups[i];
}

void former_release(struct pushgateway *push)
{
	for (size_t i = 0; i < push->former_count; i++)
		http_free(push->former[i].http);
	free(push->former);
}
