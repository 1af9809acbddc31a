/*
 * Credential plugins of a kubeconfig, user.exec, as EKS, GKE and AKS write them: a program whose standard output is an
 * ExecCredential of client.authentication.k8s.io/v1 or v1beta1. No shell is between: the program is started with its
 * arguments as they stand. Its standard error is ours. Inside operator/kube only.
 */
#ifndef STREAMJOB_KUBE_EXEC_PLUGIN_H
#define STREAMJOB_KUBE_EXEC_PLUGIN_H

#include <jansson.h>

#include "lib/base/error.h"
#include "lib/spec/document/document.h"

#define EXEC_PLUGIN_MS          60000  /* without a terminal it must be done by then */
#define EXEC_PLUGIN_TERMINAL_MS 300000 /* a person may have to log in */
#define EXEC_OUTPUT_BYTES_MAX   ((size_t)1024 * 1024)
#define EXEC_LIST_MAX           256 /* arguments, and variables */

enum exec_interactive { EXEC_NEVER, EXEC_IF_AVAILABLE, EXEC_ALWAYS };

struct exec_plugin {
	char *command; /* a path, or a name that is looked for in PATH */
	char *api_version, *install_hint /* NULL: none */;
	char **arguments; /* from argv[0] on; ends in NULL */
	char **variables; /* "NAME=VALUE", beside our own; ends in NULL */
	enum exec_interactive interactive;
	bool wants_cluster;
	int64_t limit_ms; /* 0: EXEC_PLUGIN_MS, or EXEC_PLUGIN_TERMINAL_MS */
	json_t *cluster;  /* what KUBERNETES_EXEC_INFO says of it; NULL where the plugin does not want it */
};
/* Of one run; a token, or a certificate with its key, or both. */
struct exec_credential {
	char *token, *certificate, *key;
	int64_t expires_ms; /* wall; INT64_MAX: it did not say */
};

/* `exec`: the kubeconfig's user.exec; relative commands are seen from `folder`. NULL, with why. */
struct exec_plugin *exec_plugin_read(const struct node *exec, const char *folder, struct error *err);
void exec_plugin_free(struct exec_plugin *plugin);

/* Runs it, at most so long as said above, and reads what it says. Any thread. */
int exec_plugin_run(const struct exec_plugin *plugin, struct exec_credential *ret_credential, struct error *err);
void exec_credential_release(struct exec_credential *credential);

/* What the plugin wrote, as exec_plugin_run reads it. */
int exec_credential_read(const struct exec_plugin *plugin, struct slice text, struct exec_credential *ret_credential,
                         struct error *err);

#endif
