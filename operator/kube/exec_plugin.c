/* user.exec of a kubeconfig, and the ExecCredential that the plugin answers. exec_run.c is the process between. */
#include "operator/kube/exec_plugin.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "lib/data/civil.h"

#define GROUP "client.authentication.k8s.io/"

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	return node && node->kind == NODE_SCALAR && node->text.size ? node->text.data : NULL;
}

static int read_version(const struct node *exec, struct exec_plugin *plugin, struct error *err)
{
	const char *version = text_of(exec, "apiVersion");

	if (!version || (strcmp(version, GROUP "v1") != 0 && strcmp(version, GROUP "v1beta1") != 0))
		return error_set(err,
		                 "exec.apiVersion is \"%s\"; " GROUP "v1 and " GROUP "v1beta1 are known: update the "
		                 "plugin, and have it write the kubeconfig anew",
		                 version ? version : "");
	plugin->api_version = xstrdup(version);
	return 0;
}

static int read_interactive(const struct node *exec, struct exec_plugin *plugin, struct error *err)
{
	static const char *const modes[] = {
	        [EXEC_NEVER] = "Never", [EXEC_IF_AVAILABLE] = "IfAvailable", [EXEC_ALWAYS] = "Always"};
	const char *mode = text_of(exec, "interactiveMode");

	plugin->interactive = EXEC_IF_AVAILABLE;
	if (!mode && !strcmp(plugin->api_version, GROUP "v1beta1"))
		return 0;
	for (size_t i = 0; mode && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(mode, modes[i])) {
			plugin->interactive = (enum exec_interactive)i;
			return 0;
		}
	}
	return error_set(err, "exec.interactiveMode is \"%s\"; write Never, IfAvailable or Always", mode ? mode : "");
}

static int read_command(const struct node *exec, const char *folder, struct exec_plugin *plugin, struct error *err)
{
	const char *command = text_of(exec, "command");

	if (!command)
		return error_set(err, "exec.command names no program");
	if (command[0] == '/' || !strchr(command, '/'))
		plugin->command = xstrdup(command);
	else if (asprintf(&plugin->command, "%s/%s", folder, command) < 0)
		memory_exhausted();
	return 0;
}

/* The list at `key`; its length, 0 where there is none, or -1. */
static int list_at(const struct node *exec, const char *key, const struct node **ret_list, struct error *err)
{
	const struct node *list = node_get(exec, key);

	*ret_list = list;
	if (!list || (list->kind == NODE_SCALAR && node_scalar_type(list) == SCALAR_NULL))
		return 0;
	if (list->kind != NODE_LIST || list->count > EXEC_LIST_MAX)
		return error_set(err, "exec.%s is no list of at most %d", key, EXEC_LIST_MAX);
	return (int)list->count;
}

static int read_arguments(const struct node *exec, struct exec_plugin *plugin, struct error *err)
{
	const struct node *list;
	int count = list_at(exec, "args", &list, err);

	if (count < 0)
		return -1;
	plugin->arguments = xcalloc((size_t)count + 2, sizeof(char *));
	plugin->arguments[0] = xstrdup(plugin->command);
	for (int i = 0; i < count; i++) {
		const struct node *argument = list->entries[i].value;

		if (argument->kind != NODE_SCALAR)
			return error_set(err, "exec.args[%d] is no string", i);
		plugin->arguments[i + 1] = xstrdup(argument->text.data);
	}
	return 0;
}

static int read_variables(const struct node *exec, struct exec_plugin *plugin, struct error *err)
{
	const struct node *list;
	int count = list_at(exec, "env", &list, err);

	if (count < 0)
		return -1;
	plugin->variables = xcalloc((size_t)count + 1, sizeof(char *));
	for (int i = 0; i < count; i++) {
		const char *name = text_of(list->entries[i].value, "name");
		const char *value = text_of(list->entries[i].value, "value");

		if (!name || strchr(name, '='))
			return error_set(err, "exec.env[%d] has no name", i);
		if (asprintf(&plugin->variables[i], "%s=%s", name, value ? value : "") < 0)
			memory_exhausted();
	}
	return 0;
}

struct exec_plugin *exec_plugin_read(const struct node *exec, const char *folder, struct error *err)
{
	struct exec_plugin *plugin = xcalloc(1, sizeof(*plugin));
	const struct node *wants = node_get(exec, "provideClusterInfo");
	const char *hint = text_of(exec, "installHint");

	plugin->install_hint = hint ? xstrdup(hint) : NULL;
	plugin->wants_cluster = wants && node_scalar_type(wants) == SCALAR_BOOL && node_truth(wants->text);
	if (read_version(exec, plugin, err) < 0 || read_interactive(exec, plugin, err) < 0 ||
	    read_command(exec, folder, plugin, err) < 0 || read_arguments(exec, plugin, err) < 0 ||
	    read_variables(exec, plugin, err) < 0) {
		exec_plugin_free(plugin);
		return NULL;
	}
	return plugin;
}

static void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

void exec_plugin_free(struct exec_plugin *plugin)
{
	if (!plugin)
		return;
	free(plugin->command);
	free(plugin->api_version);
	free(plugin->install_hint);
	strings_free(plugin->arguments);
	strings_free(plugin->variables);
	json_decref(plugin->cluster);
	free(plugin);
}

static void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void exec_credential_release(struct exec_credential *credential)
{
	secret_free(credential->token);
	secret_free(credential->key);
	free(credential->certificate);
	*credential = (struct exec_credential){0};
}

static char *copy(const json_t *status, const char *key)
{
	const char *text = json_string_value(json_object_get(status, key));

	return text && text[0] ? xstrdup(text) : NULL;
}

static int read_status(const json_t *status, struct exec_credential *credential, struct error *err)
{
	const char *expires = json_string_value(json_object_get(status, "expirationTimestamp"));

	credential->token = copy(status, "token");
	credential->certificate = copy(status, "clientCertificateData");
	credential->key = copy(status, "clientKeyData");
	credential->expires_ms = INT64_MAX;
	if (!credential->token && !credential->certificate && !credential->key)
		return error_set(err, "status has neither a token nor clientCertificateData");
	if (!credential->certificate != !credential->key)
		return error_set(err, "clientCertificateData and clientKeyData belong together; one is missing");
	if (expires && !civil_parse(slice_of(expires), &credential->expires_ms))
		return error_set(err, "status.expirationTimestamp \"%.64s\" is no time", expires);
	return 0;
}

static int read_answer(const struct exec_plugin *plugin, const json_t *answer, struct exec_credential *credential,
                       struct error *err)
{
	const char *kind = json_string_value(json_object_get(answer, "kind"));
	const char *version = json_string_value(json_object_get(answer, "apiVersion"));

	if (!kind || strcmp(kind, "ExecCredential") != 0)
		return error_set(err, "kind is \"%.64s\", not ExecCredential", kind ? kind : "");
	if (!version || strcmp(version, plugin->api_version) != 0)
		return error_set(err, "apiVersion is \"%.64s\"; the kubeconfig says %s", version ? version : "",
		                 plugin->api_version);
	if (!json_object_get(answer, "status"))
		return error_set(err, "it has no status");
	return read_status(json_object_get(answer, "status"), credential, err);
}

int exec_credential_read(const struct exec_plugin *plugin, struct slice text, struct exec_credential *ret_credential,
                         struct error *err)
{
	struct exec_credential credential = {0};
	json_t *answer = json_loadb(text.data, text.size, 0, NULL);
	int failed = answer ? read_answer(plugin, answer, &credential, err)
	                    : error_set(err, "it is no JSON object%s", text.size ? "" : ": nothing was written");

	json_decref(answer);
	if (failed) {
		exec_credential_release(&credential);
		return error_prefix(err, "the ExecCredential on standard output of the plugin %s", plugin->command);
	}
	*ret_credential = credential;
	return 0;
}
