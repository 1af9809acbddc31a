/*
 * The path and query of a request. Inside operator/kube only.
 */
#ifndef STREAMJOB_KUBE_PATH_H
#define STREAMJOB_KUBE_PATH_H

#include "operator/kube/kube.h"

/* ROOT[/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]; NULL leaves a part out. */
void path_object(struct buffer *out, const struct kube_resource *resource, const char *namespace, const char *name,
                 const char *subresource);
/* Appends ?KEY=VALUE or &KEY=VALUE; nothing where the value is NULL. */
void path_query(struct buffer *out, const char *key, const char *value);

#endif
