#include "operator/manager/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/spec/field/patterns.h"
#include "operator/manager/cluster_id.h"
#include "operator/manager/commands.h"
#include "operator/reconcile/plan.h"

#define MEMORY_LEAST ((int64_t)32 << 20)

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob-operator run [options]\n\n"
	      "  --namespace NAME          watch this namespace only; may be given more than once (default: all)\n"
	      "  --namespace-selector S    watch the namespaces with these labels only, as kubectl -l has them\n"
	      "  --class NAME              take the StreamJobs of this spec.class only (default: those without one)\n"
	      "  --runtime-image IMAGE     of the jobs that name none (streamjob:" STREAMJOB_VERSION ")\n"
	      "  --max-updating N|N%       jobs that get a new operator's version or default image at a time (10%)\n"
	      "  --workers N               StreamJobs that are worked on at the same time (4)\n"
	      "  --memory SIZE             of which the cache takes three eighths (the container's limit)\n"
	      "  --resync DURATION         look at every StreamJob again after so long (10m)\n"
	      "  --poll DURATION           ask pods for their status every so often (2s)\n"
	      "  --min-turn DURATION       a job that was Ready has so long in an upgrade at the least (1m)\n"
	      "  --figures DURATION        write the figures of a status at most so often (1m)\n"
	      "  --listen ADDRESS          serve /healthz, /readyz, /metrics (:8080)\n"
	      "  --metrics-bind-address A  the same\n"
	      "  --leader-elect=BOOL       one of several operators works, by a Lease (true)\n"
	      "  --leader-election-namespace NAME  where the Lease is (the operator's own namespace)\n"
	      "  --cluster-id ID           in the marks of jobs' owners (made once, kept in a ConfigMap of that "
	      "namespace)\n"
	      "  --allow-service-account NAMESPACE/NAME  that pod templates may name; either may be *; may be given "
	      "more than once (none)\n"
	      "  --allow-projected-tokens  pod templates may project tokens, certificates and trust bundles (no)\n"
	      "  --kubeconfig FILE, --context NAME  outside of a cluster\n"
	      "  --log-format FORMAT       logfmt or json\n"
	      "  --log-level LEVEL         debug, info, warn or error\n\n"
	      "SIGTERM and SIGINT: workers finish what they are at, then the Lease is released.\n",
	      out);
	return code + 1;
}

static int bad_value(const char *option, const char *expected)
{
	fprintf(stderr, "streamjob-operator run: --%s \"%s\": %s\n", option, optarg, expected);
	return EXIT_USAGE + 1;
}

static int parse_duration(const char *option, int64_t *ret_ms)
{
	struct error err;

	if (text_parse_duration(slice_of(optarg), ret_ms, &err) < 0)
		return bad_value(option, err.text);
	return *ret_ms >= 100 ? 0 : bad_value(option, "at least 100ms is needed");
}

static int parse_workers(unsigned *ret_workers)
{
	int64_t number;

	if (!text_parse_bigint(slice_of(optarg), &number) || number < 1 || number > WORKERS_MAX)
		return bad_value("workers", "1 to 64 is needed");
	*ret_workers = (unsigned)number;
	return 0;
}

static int parse_memory(int64_t *ret_bytes)
{
	struct error err;

	if (text_parse_bytes(slice_of(optarg), ret_bytes, &err) < 0)
		return bad_value("memory", err.text);
	return *ret_bytes >= MEMORY_LEAST ? 0 : bad_value("memory", "at least 32Mi is needed");
}

static int parse_namespace(struct options *options)
{
	if (options->namespaces_count == NAMESPACES_MAX)
		return bad_value("namespace", "at most 64 can be named; leave it out to watch all");
	options->namespaces[options->namespaces_count++] = optarg;
	return 0;
}

static int parse_class(const char **ret_class)
{
	*ret_class = optarg;
	return job_name_pattern.matches(slice_of(optarg)) && strlen(optarg) <= CLASS_MAX
	               ? 0
	               : bad_value("class", "at most 63 small letters, digits and - are needed");
}

bool account_is_good(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && slash > text && slash[1] && !strchr(slash + 1, '/');
}

static int parse_account(struct options *options)
{
	if (!account_is_good(optarg))
		return bad_value("allow-service-account", ACCOUNT_EXPECTED);
	if (options->accounts_count == ACCOUNTS_MAX)
		return bad_value("allow-service-account", "at most 64 can be named");
	options->accounts[options->accounts_count++] = optarg;
	return 0;
}

static int parse_leader_elect(bool *ret_elect)
{
	*ret_elect = !optarg || !strcmp(optarg, "true");
	return *ret_elect || !strcmp(optarg, "false") ? 0 : bad_value("leader-elect", "true or false is needed");
}

static int parse_log(int option, struct options *options)
{
	if (option == 'f')
		return log_format_parse(optarg, &options->log_json) ? 0 : bad_value("log-format", LOG_FORMATS);
	return log_level_parse(optarg, &options->log_level) ? 0 : bad_value("log-level", LOG_LEVELS);
}

static int parse_one(int option, struct options *options)
{
	switch (option) {
	case 'k':
		options->kubeconfig = optarg;
		return 0;
	case 'c':
		options->context = optarg;
		return 0;
	case 'n':
		return parse_namespace(options);
	case 'S':
		options->namespace_selector = optarg;
		return *optarg ? 0 : bad_value("namespace-selector", "labels are needed, as team=reco");
	case 'K':
		return parse_class(&options->class);
	case 'i':
		options->image = optarg;
		return 0;
	case 'l':
		options->listen = optarg;
		return 0;
	case 'E':
		options->lease_namespace = optarg;
		return 0;
	case 'C':
		options->cluster_id = optarg;
		return cluster_id_is_good(optarg) ? 0 : bad_value("cluster-id", CLUSTER_ID_EXPECTED);
	case 'U':
		return waves_limit_parse(optarg, &options->max_updating)
		               ? 0
		               : bad_value("max-updating", "a number of jobs from 1, or 1% to 100%, is needed");
	case 'A':
		return parse_account(options);
	case 'T':
		options->projected_tokens = true;
		return 0;
	case 'w':
		return parse_workers(&options->workers);
	case 'm':
		return parse_memory(&options->memory_bytes);
	case 'r':
		return parse_duration("resync", &options->resync_ms);
	case 'p':
		return parse_duration("poll", &options->poll_ms);
	case 'F':
		return parse_duration("figures", &options->figures_ms);
	case 'M':
		return parse_duration("min-turn", &options->turn_ms);
	case 'e':
		return parse_leader_elect(&options->leader_elect);
	case 'f':
	case 'L':
		return parse_log(option, options);
	case 'h':
		return usage(stdout, EXIT_OK);
	default:
		return usage(stderr, EXIT_USAGE);
	}
}

int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"kubeconfig", required_argument, NULL, 'k'},
	                                             {"context", required_argument, NULL, 'c'},
	                                             {"namespace", required_argument, NULL, 'n'},
	                                             {"namespace-selector", required_argument, NULL, 'S'},
	                                             {"class", required_argument, NULL, 'K'},
	                                             {"runtime-image", required_argument, NULL, 'i'},
	                                             {"listen", required_argument, NULL, 'l'},
	                                             {"metrics-bind-address", required_argument, NULL, 'l'},
	                                             {"leader-elect", optional_argument, NULL, 'e'},
	                                             {"leader-election-namespace", required_argument, NULL, 'E'},
	                                             {"cluster-id", required_argument, NULL, 'C'},
	                                             {"max-updating", required_argument, NULL, 'U'},
	                                             {"allow-service-account", required_argument, NULL, 'A'},
	                                             {"allow-projected-tokens", no_argument, NULL, 'T'},
	                                             {"workers", required_argument, NULL, 'w'},
	                                             {"memory", required_argument, NULL, 'm'},
	                                             {"resync", required_argument, NULL, 'r'},
	                                             {"poll", required_argument, NULL, 'p'},
	                                             {"figures", required_argument, NULL, 'F'},
	                                             {"min-turn", required_argument, NULL, 'M'},
	                                             {"log-format", required_argument, NULL, 'f'},
	                                             {"log-level", required_argument, NULL, 'L'},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	int option;

	*options = (struct options){.image = "streamjob:" STREAMJOB_VERSION,
	                            .listen = ":8080",
	                            .max_updating = {.percent = 10},
	                            .workers = 4,
	                            .resync_ms = 600000,
	                            .poll_ms = 2000,
	                            .figures_ms = FIGURES_MS,
	                            .leader_elect = true,
	                            .log_level = LOG_LEVEL_INFO};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		int code = parse_one(option, options);

		if (code)
			return code;
	}
	if (options->namespace_selector && options->namespaces_count) {
		fputs("streamjob-operator run: give --namespace or --namespace-selector, not both\n", stderr);
		return EXIT_USAGE + 1;
	}
	return optind == argc ? 0 : usage(stderr, EXIT_USAGE);
}
