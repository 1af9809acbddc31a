/*
 * Kubeconfig files: clusters, users and contexts by name, each taken from the first file that has it. What cannot be
 * done safely is refused with a sentence that says what to write instead.
 */
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/spec/document/document.h"
#include "lib/process/file.h"
#include "operator/kube/access.h"

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"

struct config_file {
	char *path;
	struct buffer text;
	const struct node *root;
};

struct kubeconfig {
	struct arena arena;
	struct config_file files[KUBECONFIG_FILES_MAX];
	size_t count;
};

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	return node && node->kind == NODE_SCALAR && node->text.size ? node->text.data : NULL;
}

static bool true_at(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	return node && node_scalar_type(node) == SCALAR_BOOL && node_truth(node->text);
}

static int read_config(struct kubeconfig *config, const char *path, size_t size, struct error *err)
{
	struct config_file *file = &config->files[config->count];
	struct documents documents = {0};
	struct syntax_problem problem = {0};

	if (config->count == KUBECONFIG_FILES_MAX)
		return error_set(err, "more than %d kubeconfig files", KUBECONFIG_FILES_MAX);
	file->path = arena_string(&config->arena, (struct slice){path, size});
	buffer_init(&file->text);
	config->count++;
	if (file_read(file->path, KUBECONFIG_BYTES_MAX, &file->text, err) < 0)
		return error_prefix(err, "kubeconfig");
	if (documents_parse(buffer_slice(&file->text), 1, &config->arena, &documents, &problem) < 0)
		return error_set(err, "kubeconfig %s:%d:%d: %s%s%s", file->path, problem.line, problem.column,
		                 problem.wrong, problem.right ? "; " : "", problem.right ? problem.right : "");
	file->root = documents.count ? documents.roots[0] : NULL;
	return 0;
}

static int read_all(struct kubeconfig *config, const char *files, struct error *err)
{
	while (*files) {
		size_t size = strcspn(files, ":");

		if (size && read_config(config, files, size, err) < 0)
			return -1;
		files += size + (files[size] == ':');
	}
	return config->count ? 0 : error_set(err, "no kubeconfig file is named");
}

/* The entry of that name in the list at `list` ("clusters"), its part at `part` ("cluster"), and its file. */
static const struct node *find(const struct kubeconfig *config, const char *list, const char *part, const char *name,
                               const struct config_file **ret_file)
{
	for (size_t f = 0; f < config->count; f++) {
		const struct node *entries = node_get(config->files[f].root, list);

		for (size_t i = 0; entries && entries->kind == NODE_LIST && i < entries->count; i++) {
			const struct node *entry = entries->entries[i].value;
			const char *here = text_of(entry, "name");

			if (here && strcmp(here, name) == 0) {
				*ret_file = &config->files[f];
				return node_get(entry, part);
			}
		}
	}
	return NULL;
}

static const char *current_context(const struct kubeconfig *config)
{
	for (size_t f = 0; f < config->count; f++) {
		const char *name = text_of(config->files[f].root, "current-context");

		if (name)
			return name;
	}
	return NULL;
}

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static int decode(const char *base64, const char *path, const char *key, char **ret_text, struct error *err)
{
	size_t size = strlen(base64), padding = 0;
	unsigned char *text = xmalloc(size / 4 * 3 + 4);
	int decoded = EVP_DecodeBlock(text, (const unsigned char *)base64, (int)size);

	while (padding < 2 && padding < size && base64[size - 1 - padding] == '=')
		padding++;
	if (decoded < 0 || (size_t)decoded < padding) {
		free(text);
		return error_set(err, "kubeconfig %s: %s is not base64", path, key);
	}
	text[(size_t)decoded - padding] = '\0';
	*ret_text = (char *)text;
	return 0;
}

/* KEY-data in base64, else the file KEY, seen from the kubeconfig's own folder. */
static int read_text(const struct node *map, const struct config_file *file, const char *key, struct access_text *text,
                     struct error *err)
{
	char data_key[64];
	const char *data, *path = text_of(map, key), *slash = strrchr(file->path, '/');

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = text_of(map, data_key);
	if (data)
		return decode(data, file->path, data_key, &text->text, err);
	if (path && *path != '/' && slash) {
		if (asprintf(&text->file, "%.*s/%s", (int)(slash - file->path), file->path, path) < 0)
			memory_exhausted();
	} else {
		text->file = copy_or_null(path);
	}
	return 0;
}

/* Of a kubeconfig: relative paths are seen from it. */
static void folder_of(const struct config_file *file, char ret_folder[PATH_MAX])
{
	const char *slash = strrchr(file->path, '/');

	snprintf(ret_folder, PATH_MAX, "%.*s", slash ? (int)(slash - file->path) : 1, slash ? file->path : ".");
}

/* The server under another name, https://NAME:PORT/…, and where it really is. */
static void rename_server(const char *server, const char *name, struct access *access)
{
	const char *host = strstr(server, "://") + 3, *path = host + strcspn(host, "/");
	const char *colon = memrchr(host, ':', (size_t)(path - host));
	const char *port = server[4] == 's' ? "443" : "80";
	int host_size = (int)(path - host), port_size = (int)strlen(port);

	if (colon && !memchr(colon, ']', (size_t)(path - colon))) {
		host_size = (int)(colon - host);
		port = colon + 1;
		port_size = (int)(path - port);
	}
	if (asprintf(&access->server, "%.*s%s:%.*s%s", (int)(host - server), server, name, port_size, port, path) < 0 ||
	    asprintf(&access->connect_to, "::%.*s:%.*s", host_size, host, port_size, port) < 0)
		memory_exhausted();
}

static int read_cluster(const struct node *cluster, const struct config_file *file, struct access *access,
                        struct error *err)
{
	const char *server = text_of(cluster, "server");
	size_t size;

	if (!server || (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0))
		return error_set(err, "kubeconfig %s: cluster.server is \"%s\"; write https://HOST:PORT", file->path,
		                 server ? server : "");
	if (true_at(cluster, "insecure-skip-tls-verify"))
		return error_set(err,
		                 "kubeconfig %s: insecure-skip-tls-verify is not supported: TLS is always verified; "
		                 "give certificate-authority",
		                 file->path);
	size = strlen(server);
	while (size && server[size - 1] == '/')
		size--;
	access->server = strndup(server, size);
	if (!access->server)
		memory_exhausted();
	if (text_of(cluster, "tls-server-name")) {
		char *plain = access->server;

		rename_server(plain, text_of(cluster, "tls-server-name"), access);
		free(plain);
	}
	access->proxy_url = copy_or_null(text_of(cluster, "proxy-url"));
	return read_text(cluster, file, "certificate-authority", &access->ca, err);
}

static int refuse_user(const struct node *user, const char *path, struct error *err)
{
	static const struct {
		const char *key, *instead;
	} refused[] = {
	        {"auth-provider",
	         "auth providers are not supported; give an exec plugin, a token, a tokenFile or a client certificate"},
	        {"username", "the API server takes no passwords; give a token, a tokenFile or a client certificate"},
	        {"as", "impersonation is not supported; use a context whose user has the right"},
	        {"as-groups", "impersonation is not supported; use a context whose user has the right"},
	        {"as-uid", "impersonation is not supported; use a context whose user has the right"},
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (node_get(user, refused[i].key))
			return error_set(err, "kubeconfig %s: user.%s: %s", path, refused[i].key, refused[i].instead);
	return 0;
}

/* What the plugin may have for itself in the kubeconfig. */
static json_t *plugin_config(const struct node *cluster)
{
	const struct node *extensions = node_get(cluster, "extensions");
	json_t *config = NULL;
	struct buffer text;

	for (size_t i = 0; extensions && extensions->kind == NODE_LIST && i < extensions->count && !config; i++) {
		const char *name = text_of(extensions->entries[i].value, "name");
		const struct node *extension = node_get(extensions->entries[i].value, "extension");

		if (!name || strcmp(name, EXEC_EXTENSION) != 0 || !extension)
			continue;
		buffer_init(&text);
		node_json(extension, &text);
		config = json_loadb(text.data, text.size, JSON_DECODE_ANY, NULL);
		buffer_release(&text);
	}
	return config;
}

static json_t *base64(const char *text, size_t size)
{
	char *encoded = xmalloc(size / 3 * 4 + 5);
	json_t *json;

	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text, (int)size);
	json = json_string(encoded);
	free(encoded);
	return json;
}

/* What KUBERNETES_EXEC_INFO says of the cluster. */
static int describe_cluster(const struct node *cluster, const struct access_text *ca, json_t **ret_json,
                            struct error *err)
{
	json_t *json = json_pack("{s:s}", "server", text_of(cluster, "server")), *config = plugin_config(cluster);
	static const char *const same[] = {"tls-server-name", "proxy-url"};
	struct buffer file;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (text_of(cluster, same[i]))
			json_object_set_new(json, same[i], json_string(text_of(cluster, same[i])));
	if (config)
		json_object_set_new(json, "config", config);
	buffer_init(&file);
	if (ca->text)
		buffer_append_text(&file, ca->text);
	else if (ca->file && file_read(ca->file, ACCESS_FILE_BYTES_MAX, &file, err) < 0) {
		buffer_release(&file);
		json_decref(json);
		return -1;
	}
	if (file.size)
		json_object_set_new(json, "certificate-authority-data", base64(file.data, file.size));
	buffer_release(&file);
	*ret_json = json;
	return 0;
}

/* As in client-go, what stands beside a plugin wins, and the plugin is not run. */
static int read_exec(const struct node *user, const struct node *cluster, const struct config_file *file,
                     struct access *access, struct error *err)
{
	const struct node *exec = node_get(user, "exec");
	char folder[PATH_MAX];

	if (!exec || access->token.text || access->token.file || access->key.text || access->key.file)
		return 0;
	if (strncmp(access->server, "http://", 7) == 0)
		return error_set(err, "kubeconfig %s: credentials are not sent to %s, which has no TLS; write https://",
		                 file->path, access->server);
	folder_of(file, folder);
	access->exec = exec_plugin_read(exec, folder, err);
	if (!access->exec)
		return error_prefix(err, "kubeconfig %s: user", file->path);
	if (access->exec->wants_cluster)
		return describe_cluster(cluster, &access->ca, &access->exec->cluster, err);
	return 0;
}

static int read_user(const struct node *user, const struct config_file *file, struct access *access, struct error *err)
{
	const char *token = text_of(user, "token"), *token_file = text_of(user, "tokenFile");

	if (refuse_user(user, file->path, err) < 0 ||
	    read_text(user, file, "client-certificate", &access->certificate, err) < 0 ||
	    read_text(user, file, "client-key", &access->key, err) < 0)
		return -1;
	/* As in client-go, the file wins over a token that stands beside it. */
	if (token_file)
		access->token.file = xstrdup(token_file);
	else
		access->token.text = copy_or_null(token);
	if ((access->certificate.text || access->certificate.file) != (access->key.text || access->key.file))
		return error_set(err, "kubeconfig %s: client-certificate and client-key belong together; give both",
		                 file->path);
	if (strncmp(access->server, "http://", 7) == 0 && (token || token_file || access->key.text || access->key.file))
		return error_set(err, "kubeconfig %s: credentials are not sent to %s, which has no TLS; write https://",
		                 file->path, access->server);
	return 0;
}

static int choose(const struct kubeconfig *config, const char *name, struct access *access, struct error *err)
{
	const struct config_file *file = &config->files[0];
	const struct node *context, *cluster, *user;
	const char *cluster_name, *user_name, *namespace;

	if (!name)
		name = current_context(config);
	if (!name)
		return error_set(err, "kubeconfig %s: there is no current-context; name one", file->path);
	context = find(config, "contexts", "context", name, &file);
	if (!context)
		return error_set(err, "kubeconfig %s: there is no context \"%s\"", file->path, name);
	cluster_name = text_of(context, "cluster");
	user_name = text_of(context, "user");
	namespace = text_of(context, "namespace");
	access->namespace = xstrdup(namespace ? namespace : "default");
	cluster = cluster_name ? find(config, "clusters", "cluster", cluster_name, &file) : NULL;
	if (!cluster)
		return error_set(err, "kubeconfig %s: context \"%s\" names the cluster \"%s\", which is not there",
		                 file->path, name, cluster_name ? cluster_name : "");
	if (read_cluster(cluster, file, access, err) < 0)
		return -1;
	if (!user_name)
		return 0;
	user = find(config, "users", "user", user_name, &file);
	if (!user)
		return error_set(err, "kubeconfig %s: context \"%s\" names the user \"%s\", which is not there",
		                 file->path, name, user_name);
	if (read_user(user, file, access, err) < 0)
		return -1;
	return read_exec(user, cluster, file, access, err);
}

int access_from_kubeconfig(const char *files, const char *context, struct access *ret_access, struct error *err)
{
	struct kubeconfig *config = xcalloc(1, sizeof(*config));
	struct access access = {0};
	int failed;

	arena_init(&config->arena);
	failed = read_all(config, files, err);
	if (!failed)
		failed = choose(config, context, &access, err);
	for (size_t f = 0; f < config->count; f++) {
		if (config->files[f].text.data)
			explicit_bzero(config->files[f].text.data, config->files[f].text.size);
		buffer_release(&config->files[f].text);
	}
	arena_release(&config->arena);
	free(config);
	if (failed)
		access_release(&access);
	else
		*ret_access = access;
	return failed;
}
