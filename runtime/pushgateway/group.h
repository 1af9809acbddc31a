/*
 * The Pushgateway's names for a group: its URL, and how to recognize it in the gateway's own list. Inside
 * runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_GROUP_H
#define STREAMJOB_PUSHGATEWAY_GROUP_H

#include <jansson.h>

#include "lib/base/buffer.h"
#include "lib/spec/field/jobspec.h"

/*
 * <url>/metrics/job/<job>{/<label>/<value>}; values that are empty or have a '/' go as <label>@base64/<url-safe
 * base64>,
 * '=' for empty. `credentials` false: without what stands before '@' in the URL, for logs and status.
 */
void group_url(const struct pushgateway_sink *spec, bool credentials, struct buffer *out);
/* <url>, with credentials */
void group_base_url(const struct pushgateway_sink *spec, struct buffer *out);
/* /metrics/job/… of a group by its labels, as the gateway's list has them. */
void group_path(const json_t *labels, struct buffer *out);
/* Are these the labels of exactly that group: job, the grouping key, and an instance that is empty? */
bool group_is(const struct pushgateway_sink *spec, const json_t *labels);
/* <url>/metrics, which has the gateway's own metrics too */
void group_page_url(const struct pushgateway_sink *spec, struct buffer *out);
/* <url>/api/v1/metrics */
void group_list_url(const struct pushgateway_sink *spec, struct buffer *out);

#endif
