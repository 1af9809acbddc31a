/*
 * What a kubeconfig or a ServiceAccount says: where the API server is, and the texts or files that open it. Inside
 * operator/kube only.
 */
#ifndef STREAMJOB_KUBE_ACCESS_H
#define STREAMJOB_KUBE_ACCESS_H

#include <stddef.h>

#include "lib/base/error.h"
#include "operator/kube/exec_plugin.h"

#define KUBECONFIG_BYTES_MAX  ((size_t)4 * 1024 * 1024)
#define KUBECONFIG_FILES_MAX  16
#define ACCESS_FILE_BYTES_MAX ((size_t)1024 * 1024)

/* A text that stands in the configuration, or the file that holds it; both NULL: there is none. */
struct access_text {
	char *text, *file;
};

struct access {
	char *server; /* no '/' at its end; with tls-server-name for its host where that is given */
	char *namespace;
	char *connect_to; /* "::HOST:PORT", where connections really go; NULL: to the server */
	char *proxy_url;  /* NULL: none */
	struct access_text ca, token, certificate, key;
	struct exec_plugin *exec; /* gives the token, or the certificate and the key; NULL: none does */
};

void access_release(struct access *access);
/* `files`: "a:b", as in $KUBECONFIG: what an earlier file says wins. `context` NULL: the current one. */
int access_from_kubeconfig(const char *files, const char *context, struct access *ret_access, struct error *err);
/* `directory`: of the ServiceAccount's token, ca.crt and namespace. */
int access_from_pod(const char *host, const char *port, const char *directory, struct access *ret_access,
                    struct error *err);

#endif
