/*
 * streamjob-operator plan FILE...: what an apply of the files would create or change, as a unified diff of YAML. The
 * API server says it by dry runs, so its defaults, its checks and other managers' fields are in the answer; nothing
 * changes.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/spec/read/load.h"
#include "lib/process/file.h"
#include "lib/process/system_clock.h"
#include "operator/manager/cluster_id.h"
#include "operator/manager/commands.h"
#include "operator/manager/group_index.h"
#include "operator/manager/plan_files.h"

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob-operator plan FILE... [options]\n\n"
	      "  --kubeconfig FILE, --context NAME  the cluster (as kubectl finds it)\n"
	      "  --namespace NAME       of StreamJobs that name none (the context's)\n"
	      "  --field-manager NAME   who will apply the files (kubectl)\n"
	      "  --runtime-image IMAGE  the operator's --runtime-image (streamjob:" STREAMJOB_VERSION ")\n"
	      "  --cluster-id ID        the operator's --cluster-id (that of the ConfigMap in its namespace)\n"
	      "  --allow-service-account NAMESPACE/NAME, --allow-projected-tokens  the operator's\n"
	      "  --operator-namespace NAME  where the operator runs; \"\": in no pod (streamjob-system)\n\n"
	      "Prints what an apply of the StreamJobs in the files would create or change, as a unified diff of YAML, "
	      "and\n"
	      "changes nothing. Exit 0: nothing; 4: changes; 1: the cluster has an error; 2: usage or\n"
	      "a file that has one.\n",
	      out);
	return code + 1;
}

static int bad_value(const char *option, const char *expected)
{
	fprintf(stderr, "streamjob-operator plan: --%s \"%s\": %s\n", option, optarg, expected);
	return EXIT_USAGE + 1;
}

/* 0: go on; else the exit code plus 1. */
static int parse(int argc, char **argv, struct plan_options *options)
{
	static const struct option long_options[] = {{"kubeconfig", required_argument, NULL, 'k'},
	                                             {"context", required_argument, NULL, 'c'},
	                                             {"namespace", required_argument, NULL, 'n'},
	                                             {"field-manager", required_argument, NULL, 'm'},
	                                             {"runtime-image", required_argument, NULL, 'i'},
	                                             {"cluster-id", required_argument, NULL, 'C'},
	                                             {"operator-namespace", required_argument, NULL, 'o'},
	                                             {"allow-service-account", required_argument, NULL, 'A'},
	                                             {"allow-projected-tokens", no_argument, NULL, 'T'},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	int option;

	*options = (struct plan_options){
	        .field_manager = "kubectl",
	        .settings = {.image = "streamjob:" STREAMJOB_VERSION, .own_namespace = "streamjob-system"}};
	options->settings.accounts = options->accounts;
	while ((option = getopt_long(argc, argv, "n:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'k':
			options->kubeconfig = optarg;
			break;
		case 'c':
			options->context = optarg;
			break;
		case 'n':
			options->namespace = optarg;
			break;
		case 'm':
			options->field_manager = optarg;
			break;
		case 'i':
			options->settings.image = optarg;
			break;
		case 'C':
			options->settings.cluster_id = optarg;
			if (!cluster_id_is_good(optarg))
				return bad_value("cluster-id", CLUSTER_ID_EXPECTED);
			break;
		case 'A':
			if (!account_is_good(optarg) || options->settings.accounts_count == ACCOUNTS_MAX)
				return bad_value("allow-service-account", ACCOUNT_EXPECTED);
			options->accounts[options->settings.accounts_count++] = optarg;
			break;
		case 'T':
			options->settings.projected_tokens = true;
			break;
		case 'o':
			options->settings.own_namespace = *optarg ? optarg : NULL;
			break;
		default:
			return usage(option == 'h' ? stdout : stderr, option == 'h' ? EXIT_OK : EXIT_USAGE);
		}
	}
	return optind < argc ? 0 : usage(stderr, EXIT_USAGE);
}

/* The StreamJobs of a file as objects, appended to `jobs`; -1 after what is wrong was printed. */
static int load_file(const char *path, json_t *jobs)
{
	struct buffer text, words;
	struct problems problems;
	struct error err;
	int result = -1;

	buffer_init(&text);
	buffer_init(&words);
	problems_init(&problems);
	if (file_read(path, JOB_FILE_BYTES_MAX, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
	} else if (plan_files_load(path, buffer_slice(&text), jobs, &problems) < 0) {
		problems_print(&problems, &words);
		fwrite(words.data, 1, words.size, stderr);
	} else {
		result = 0;
	}
	problems_release(&problems);
	buffer_release(&words);
	buffer_release(&text);
	return result;
}

/* The id that the operator has, or makes when it first starts. */
static int know_cluster(struct kube_client *client, const char *namespace, struct plan_options *options,
                        char id[CLUSTER_ID_MAX + 1], struct error *err)
{
	struct kube_error why;

	if (options->settings.cluster_id)
		return 0;
	if (cluster_id_read(client, namespace, id, &why) == 0) {
		options->settings.cluster_id = id;
	} else if (why.reason == KUBE_NOT_FOUND) {
		options->settings.cluster_id = "(made at the operator's first start)";
	} else {
		*err = why.error;
		return error_prefix(err, "the cluster's id, which --cluster-id may give");
	}
	return 0;
}

static int plan_all(const struct plan_options *given, const json_t *jobs, struct error *err)
{
	struct plan_options known = *given, *options = &known;
	const char *own = options->settings.own_namespace;
	char cluster_id[CLUSTER_ID_MAX + 1];
	const struct kube_cluster_options where = {
	        .kubeconfig = options->kubeconfig, .context = options->context, .clock = &system_clock};
	struct kube_cluster *cluster = kube_cluster_open(&where, err);
	struct kube_client *client;
	struct buffer out;
	size_t index;
	json_t *job;
	int result = 0;

	if (!cluster)
		return -1;
	client = kube_client_new(cluster);
	buffer_init(&out);
	options->groups = group_index_new();
	plan_files_groups(client, options, options->namespace ? options->namespace : kube_cluster_namespace(cluster));
	result = know_cluster(client, own ? own : kube_cluster_namespace(cluster), options, cluster_id, err);
	json_array_foreach(jobs, index, job)
	{
		const char *namespace = options->namespace ? options->namespace : kube_cluster_namespace(cluster);

		if (result < 0)
			break;
		result = plan_files_diff(client, options, namespace, job, &out, err);
	}
	if (result == 0 && out.size)
		result = EXIT_CHANGES;
	fwrite(buffer_slice(&out).data, 1, out.size, stdout);
	buffer_release(&out);
	group_index_free(options->groups);
	kube_client_free(client);
	kube_cluster_free(cluster);
	return result;
}

int operator_plan(int argc, char **argv)
{
	struct plan_options options;
	struct error err;
	int code = parse(argc, argv, &options), result = EXIT_OK;
	json_t *jobs;

	if (code)
		return code - 1;
	jobs = json_array();
	for (int i = optind; i < argc; i++)
		result = load_file(argv[i], jobs) < 0 ? EXIT_USAGE : result;
	if (result == EXIT_OK && !json_array_size(jobs)) {
		fprintf(stderr, "streamjob-operator plan: no StreamJob in these files\n");
		result = EXIT_USAGE;
	}
	if (result == EXIT_OK && (result = plan_all(&options, jobs, &err)) < 0) {
		fprintf(stderr, "streamjob-operator plan: %s\n", err.text);
		result = EXIT_FAILED;
	}
	json_decref(jobs);
	return result;
}
