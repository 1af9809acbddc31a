/*
 * The operator's command line: `run` and its options.
 */
#ifndef STREAMJOB_OPTIONS_H
#define STREAMJOB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/log.h"
#include "operator/manager/waves.h"

#define NAMESPACES_MAX 64
#define WORKERS_MAX    64
#define CLASS_MAX      63
#define ACCOUNTS_MAX   64

struct options {
	const char *kubeconfig, *context;
	const char *namespaces[NAMESPACES_MAX]; /* none: all */
	size_t namespaces_count;
	const char *accounts[ACCOUNTS_MAX]; /* struct settings says what they are */
	size_t accounts_count;
	bool projected_tokens;
	const char *namespace_selector;  /* NULL: none; else there are no `namespaces` */
	const char *class;               /* NULL: jobs without one */
	const char *image;               /* of the runtime, where a StreamJob names none */
	const char *listen;              /* /healthz, /readyz, /metrics, /status */
	const char *lease_namespace;     /* NULL: the operator's own */
	const char *cluster_id;          /* NULL: that of the ConfigMap; cluster_id.h */
	struct waves_limit max_updating; /* jobs that get a new version or default image at a time */
	unsigned workers;
	int64_t memory_bytes; /* that the process may take; 0: what its container has */
	int64_t resync_ms, poll_ms, figures_ms, turn_ms;
	bool leader_elect, log_json;
	enum log_level log_level;
};

/* "NAMESPACE/NAME", either may be *. */
#define ACCOUNT_EXPECTED "NAMESPACE/NAME is needed, and either may be *"
bool account_is_good(const char *text);

/* 0: run; else the exit code plus 1, after usage or what is wrong was printed. */
int options_parse(int argc, char **argv, struct options *options);

#endif
