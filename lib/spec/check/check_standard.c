/*
 * The Pod Security Standard "restricted", for what a pod template may write: a row of a table each control. What it
 * leaves out is filled in by the operator (operator/reconcile/fill.h); what it writes against the standard is a problem
 * with its path, for the namespace would refuse the pod long after the StreamJob was taken, or, where it enforces
 * nothing, run it.
 */
#include <stdio.h>

#include "lib/spec/check/check.h"

#define SEGMENT_BYTES_MAX 64
#define LIST_MARK         "[]"
#define PROFILE_DEFAULT                                                                                                \
	"runtime"                                                                                                      \
	"/default"

enum wanted {
	WANTED_FALSE,
	WANTED_TRUE,
	WANTED_EMPTY,    /* or zero */
	WANTED_NOT_ZERO, /* a number above it */
	WANTED_ONE_OF,   /* a string of `values` */
	WANTED_ALL_OF,   /* a list of nothing but `values` */
	WANTED_HAS       /* a list with the one value */
};

struct control {
	const char *path; /* keys joined by points; "ports[]": each element of a list */
	enum wanted wanted;
	const char *const *values; /* end in NULL */
	const char *right;
};

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PROFILES    VALUES("RuntimeDefault", "Localhost")
#define PROFILE     "RuntimeDefault and Localhost are allowed"
#define NO_HOST     "leave it out: the pod itself is meant then"

/* Of a pod's securityContext and of a container's. */
#define BOTH                                                                                                           \
	{"securityContext.runAsNonRoot", WANTED_TRUE, NULL, "the processes of a pod are not root"},                    \
	        {"securityContext.runAsUser", WANTED_NOT_ZERO, NULL, "the processes of a pod are not root"},           \
	        {"securityContext.seccompProfile.type", WANTED_ONE_OF, PROFILES, PROFILE},                             \
	        {"securityContext.appArmorProfile.type", WANTED_ONE_OF, PROFILES, PROFILE},                            \
	        {"securityContext.seLinuxOptions.type", WANTED_ONE_OF,                                                 \
	         VALUES("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"),               \
	         "container_t, container_init_t, container_kvm_t and container_engine_t are allowed"},                 \
	        {"securityContext.seLinuxOptions.user", WANTED_EMPTY, NULL, "leave it out"},                           \
	        {"securityContext.seLinuxOptions.role", WANTED_EMPTY, NULL, "leave it out"},                           \
	{                                                                                                              \
		"securityContext.windowsOptions.hostProcess", WANTED_FALSE, NULL, "leave it out"                       \
	}

static const struct control pod_controls[] = {
        BOTH,
        {"securityContext.sysctls[].name", WANTED_ONE_OF,
         VALUES("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
                "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
                "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
                "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
         "only the safe ones are allowed"},
};

static const struct control container_controls[] = {
        BOTH,
        {"securityContext.privileged", WANTED_FALSE, NULL, "leave it out"},
        {"securityContext.allowPrivilegeEscalation", WANTED_FALSE, NULL, "leave it out: it is false then"},
        {"securityContext.procMount", WANTED_ONE_OF, VALUES("Default"), "Default is allowed"},
        {"securityContext.capabilities.add", WANTED_ALL_OF, VALUES("NET_BIND_SERVICE"), "NET_BIND_SERVICE is allowed"},
        {"securityContext.capabilities.drop", WANTED_HAS, VALUES("ALL"), "leave it out, or drop ALL"},
        {"ports[].hostPort", WANTED_EMPTY, NULL, "leave it out"},
        {"livenessProbe.httpGet.host", WANTED_EMPTY, NULL, NO_HOST},
        {"livenessProbe.tcpSocket.host", WANTED_EMPTY, NULL, NO_HOST},
        {"readinessProbe.httpGet.host", WANTED_EMPTY, NULL, NO_HOST},
        {"readinessProbe.tcpSocket.host", WANTED_EMPTY, NULL, NO_HOST},
        {"startupProbe.httpGet.host", WANTED_EMPTY, NULL, NO_HOST},
        {"startupProbe.tcpSocket.host", WANTED_EMPTY, NULL, NO_HOST},
        {"lifecycle.postStart.httpGet.host", WANTED_EMPTY, NULL, NO_HOST},
        {"lifecycle.postStart.tcpSocket.host", WANTED_EMPTY, NULL, NO_HOST},
        {"lifecycle.preStop.httpGet.host", WANTED_EMPTY, NULL, NO_HOST},
        {"lifecycle.preStop.tcpSocket.host", WANTED_EMPTY, NULL, NO_HOST},
};

static const char *const volume_kinds[] = {"configMap", "csi",       "downwardAPI", "emptyDir",
                                           "ephemeral", "projected", "secret",      "persistentVolumeClaim"};

static bool is_value(const struct control *control, const json_t *json)
{
	const char *text = json_string_value(json);

	for (size_t i = 0; text && control->values[i]; i++)
		if (!strcmp(text, control->values[i]))
			return true;
	return false;
}

/* How many elements of a list are of the values; SIZE_MAX where it is no list. */
static size_t count_values(const struct control *control, const json_t *list)
{
	size_t index, count = 0;
	json_t *element;

	if (!json_is_array(list))
		return SIZE_MAX;
	json_array_foreach(list, index, element)
	{
		count += is_value(control, element);
	}
	return count;
}

static bool is_good(const struct control *control, const json_t *json)
{
	size_t count;

	switch (control->wanted) {
	case WANTED_FALSE:
		return json_is_false(json);
	case WANTED_TRUE:
		return json_is_true(json);
	case WANTED_EMPTY:
		return json_is_string(json) ? !json_string_length(json)
		                            : json_is_integer(json) && !json_integer_value(json);
	case WANTED_NOT_ZERO:
		return json_is_integer(json) && json_integer_value(json) > 0;
	case WANTED_ONE_OF:
		return is_value(control, json);
	case WANTED_ALL_OF:
		return json_is_array(json) && count_values(control, json) == json_array_size(json);
	case WANTED_HAS:
		count = count_values(control, json);
		return count && count != SIZE_MAX;
	}
	return false;
}

static void say(const struct control *control, const json_t *json, const char *place, struct problems *problems)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	check_problem(problems, place, control->right,
	              "%.64s is not what the Pod Security Standard \"restricted\" allows", text ? text : "this");
	free(text);
}

/* `path`: what is left of the control's. What is not there, or null, is filled in. */
static void check_control(const struct control *control, const char *path, json_t *json, const char *place,
                          struct problems *problems)
{
	char segment[SEGMENT_BYTES_MAX];
	size_t size = strcspn(path, "."), index;
	const char *rest = path[size] ? path + size + 1 : path + size;
	bool is_list = size > 2 && !strncmp(path + size - 2, LIST_MARK, 2);
	json_t *value, *element;

	if (!size) {
		if (!is_good(control, json))
			say(control, json, place, problems);
		return;
	}
	snprintf(segment, sizeof(segment), "%.*s", (int)(is_list ? size - 2 : size), path);
	value = json_object_get(json, segment);
	if (!value || json_is_null(value))
		return;
	place = path_member(&problems->arena, place, slice_of(segment));
	if (!is_list) {
		check_control(control, rest, value, place, problems);
		return;
	}
	json_array_foreach(value, index, element)
	{
		check_control(control, rest, element, path_item(&problems->arena, place, index), problems);
	}
}

void check_standard_container(json_t *container, const char *place, struct problems *problems)
{
	for (size_t i = 0; i < sizeof(container_controls) / sizeof(container_controls[0]); i++)
		check_control(&container_controls[i], container_controls[i].path, container, place, problems);
}

void check_standard_pod(json_t *spec, const char *place, struct problems *problems)
{
	for (size_t i = 0; i < sizeof(pod_controls) / sizeof(pod_controls[0]); i++)
		check_control(&pod_controls[i], pod_controls[i].path, spec, place, problems);
}

void check_standard_volume(json_t *volume, const char *place, struct problems *problems)
{
	const char *key;
	json_t *value;

	json_object_foreach(volume, key, value)
	{
		bool known = !strcmp(key, "name") || json_is_null(value);

		for (size_t i = 0; i < sizeof(volume_kinds) / sizeof(volume_kinds[0]) && !known; i++)
			known = !strcmp(key, volume_kinds[i]);
		if (!known)
			check_problem(problems, path_member(&problems->arena, place, slice_of(key)),
			              "configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, "
			              "projected and secret are allowed",
			              "is no volume that the Pod Security Standard \"restricted\" allows");
	}
}

/* What was said of a container's profile before there was a field for it. */
void check_standard_annotation(const char *key, const json_t *value, const char *place, struct problems *problems)
{
	static const char *const keys[] = {"container.apparmor.security.beta.kubernetes.io/",
	                                   "seccomp.security.alpha.kubernetes.io/",
	                                   "container.seccomp.security.alpha.kubernetes.io/"};
	const char *text = json_string_value(value);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strncmp(key, keys[i], strlen(keys[i])) != 0 ||
		    (text && (!strcmp(text, PROFILE_DEFAULT) || !strncmp(text, "localhost/", 10))))
			continue;
		check_problem(problems, place, PROFILE_DEFAULT " and localhost/PROFILE are allowed",
		              "is not what the Pod Security Standard \"restricted\" allows");
	}
}
