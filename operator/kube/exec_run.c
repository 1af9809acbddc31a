/*
 * A credential plugin as a process. Its output is read to its end or the deadline; then it is ended with what it has
 * started, which without a terminal is a process group of its own (with one it must stay in ours, to read from it).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "lib/process/system_clock.h"
#include "operator/kube/exec_plugin.h"

#define INFO_VARIABLE "KUBERNETES_EXEC_INFO"
#define REAP_MS       10 /* between two looks whether it has ended */

struct run {
	const struct exec_plugin *plugin;
	bool interactive;
	pid_t child;
	int output; /* read end of its standard output */
	int64_t limit_ms, end_ms;
};

static int64_t now_ms(void)
{
	return system_clock_ns() / 1000000;
}

static char *info_variable(const struct run *run)
{
	json_t *spec = json_pack("{s:b}", "interactive", run->interactive), *info;
	char *text, *variable;

	if (run->plugin->cluster)
		json_object_set(spec, "cluster", run->plugin->cluster);
	info = json_pack("{s:s, s:s, s:o}", "kind", "ExecCredential", "apiVersion", run->plugin->api_version, "spec",
	                 spec);
	text = json_dumps(info, JSON_COMPACT);
	if (!text || asprintf(&variable, INFO_VARIABLE "=%s", text) < 0)
		memory_exhausted();
	free(text);
	json_decref(info);
	return variable;
}

static bool same_name(const char *a, const char *b)
{
	size_t size = strcspn(a, "=");

	return size == strcspn(b, "=") && !strncmp(a, b, size);
}

/* Our own variables but those that are set anew. The strings stay where they are. */
static char **environment(const struct exec_plugin *plugin, char *info)
{
	size_t own = 0, count = 0, given = 0;
	char **all;

	while (environ[own])
		own++;
	while (plugin->variables[given])
		given++;
	all = xcalloc(own + given + 2, sizeof(char *));
	for (size_t i = 0; i < own; i++) {
		bool again = same_name(environ[i], info);

		for (size_t v = 0; v < given && !again; v++)
			again = same_name(environ[i], plugin->variables[v]);
		if (!again)
			all[count++] = environ[i];
	}
	for (size_t v = 0; v < given; v++)
		if (!same_name(plugin->variables[v], info))
			all[count++] = plugin->variables[v];
	all[count++] = info;
	return all;
}

static void set_attributes(const struct run *run, posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(attributes, (short)(flags | (run->interactive ? 0 : POSIX_SPAWN_SETPGROUP)));
}

static int spawn(struct run *run, int output, char **variables)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int code;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_attributes(run, &attributes);
	if (!run->interactive)
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	code = posix_spawnp(&run->child, run->plugin->command, &actions, &attributes, run->plugin->arguments,
	                    variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

static int start(struct run *run, struct error *err)
{
	const struct exec_plugin *plugin = run->plugin;
	char *info = info_variable(run), **variables = environment(plugin, info);
	int ends[2], code;

	code = pipe2(ends, O_CLOEXEC) < 0 ? errno : 0;
	if (!code) {
		code = spawn(run, ends[1], variables);
		close(ends[1]);
		run->output = ends[0];
		if (code)
			close(ends[0]);
	}
	free(variables);
	free(info);
	if (!code)
		return 0;
	return error_set(err, "the plugin %s cannot be started: %s%s%s", plugin->command, strerror(code),
	                 plugin->install_hint ? "\n" : "; install it, or name it by its path in exec.command",
	                 plugin->install_hint ? plugin->install_hint : "");
}

static int late(const struct run *run, struct error *err)
{
	return error_set(err, "the plugin %s was not done within %lld ms and was ended", run->plugin->command,
	                 (long long)run->limit_ms);
}

static int read_output(const struct run *run, struct buffer *out, struct error *err)
{
	struct pollfd output = {.fd = run->output, .events = POLLIN};
	char chunk[4096];

	for (;;) {
		int64_t left_ms = run->end_ms - now_ms();
		ssize_t size;

		if (left_ms <= 0)
			return late(run, err);
		if (poll(&output, 1, (int)left_ms) <= 0)
			continue;
		size = read(run->output, chunk, sizeof(chunk));
		if (size < 0 && errno != EINTR)
			return error_set(err, "the output of the plugin %s: %s", run->plugin->command, strerror(errno));
		if (!size)
			return 0;
		if (size > 0)
			buffer_append(out, chunk, (size_t)size);
		if (out->size > EXEC_OUTPUT_BYTES_MAX)
			return error_set(err, "the plugin %s wrote more than %zu bytes", run->plugin->command,
			                 EXEC_OUTPUT_BYTES_MAX);
	}
}

static int wait_for_end(const struct run *run, int *ret_status, struct error *err)
{
	while (waitpid(run->child, ret_status, WNOHANG) == 0) {
		if (now_ms() >= run->end_ms)
			return late(run, err);
		poll(NULL, 0, REAP_MS);
	}
	return 0;
}

static int judge_end(const struct run *run, int status, struct error *err)
{
	const char *hint = run->plugin->install_hint;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, "the plugin %s failed with %s %d; what it says on standard error stands above%s%s",
	                 run->plugin->command, WIFEXITED(status) ? "exit code" : "signal",
	                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), hint ? "\n" : "",
	                 hint ? hint : "");
}

static void kill_and_reap(const struct run *run)
{
	int status;

	kill(run->interactive ? run->child : -run->child, SIGKILL);
	while (waitpid(run->child, &status, 0) < 0 && errno == EINTR)
		;
}

int exec_plugin_run(const struct exec_plugin *plugin, struct exec_credential *ret_credential, struct error *err)
{
	struct run run = {.plugin = plugin, .interactive = plugin->interactive != EXEC_NEVER && isatty(STDIN_FILENO)};
	struct buffer output;
	int failed, status = 0;

	if (plugin->interactive == EXEC_ALWAYS && !run.interactive)
		return error_set(err,
		                 "the plugin %s wants a terminal (interactiveMode: Always), and standard input is none",
		                 plugin->command);
	run.limit_ms = run.interactive ? EXEC_PLUGIN_TERMINAL_MS : EXEC_PLUGIN_MS;
	if (plugin->limit_ms)
		run.limit_ms = plugin->limit_ms;
	run.end_ms = now_ms() + run.limit_ms;
	if (start(&run, err) < 0)
		return -1;
	buffer_init(&output);
	failed = read_output(&run, &output, err);
	if (!failed)
		failed = wait_for_end(&run, &status, err);
	if (failed)
		kill_and_reap(&run);
	else
		failed = judge_end(&run, status, err);
	close(run.output);
	if (!failed)
		failed = exec_credential_read(plugin, buffer_slice(&output), ret_credential, err);
	if (output.data)
		explicit_bzero(output.data, output.size);
	buffer_release(&output);
	return failed;
}
