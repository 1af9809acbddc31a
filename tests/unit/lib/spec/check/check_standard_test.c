/*
 * The page of the Pod Security Standards, v1.34, control for control: of "baseline" and "restricted" what is not
 * allowed, and the values that are. https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
#include "tests/unit/lib/spec/job_case.h"

#define POD     1u
#define SIDECAR 2u
#define INIT    4u
#define VOLUME  8u
#define ALL     (POD | SIDECAR | INIT)
#define THEIRS  (SIDECAR | INIT)

static const struct place {
	unsigned bit;
	const char *path, *format;
} places[] = {
        {POD, "spec.podTemplate.spec.", "podTemplate: {spec: {%s}}"},
        {SIDECAR, "spec.podTemplate.spec.containers[1].",
         "podTemplate: {spec: {containers: [{name: streamjob}, {name: a, image: b, %s}]}}"},
        {INIT, "spec.podTemplate.spec.initContainers[0].",
         "podTemplate: {spec: {initContainers: [{name: a, image: b, restartPolicy: Always, %s}]}}"},
        {VOLUME, "spec.podTemplate.spec.volumes[0].", "podTemplate: {spec: {volumes: [{name: v, %s}]}}"},
};

#define SECURITY(text) "securityContext: {" text "}"
#define IN(path)       "securityContext." path

static const struct row {
	unsigned where;
	const char *text;
	const char *path; /* of the one problem; NULL: it is allowed */
} rows[] = {
        /* HostProcess */
        {ALL, SECURITY("windowsOptions: {hostProcess: true}"), IN("windowsOptions.hostProcess")},
        {ALL, SECURITY("windowsOptions: {hostProcess: false}"), NULL},
        /* Host Namespaces; and fields by which a pod would be more than a job's */
        {POD, "hostNetwork: true", "hostNetwork"},
        {POD, "hostPID: true", "hostPID"},
        {POD, "hostIPC: true", "hostIPC"},
        {POD, "shareProcessNamespace: true", "shareProcessNamespace"},
        {POD, "nodeName: a", "nodeName"},
        {POD, "automountServiceAccountToken: true", "automountServiceAccountToken"},
        {POD, "serviceAccount: a", "serviceAccount"},
        {POD, "os: {name: windows}", "os"},
        {POD, "ephemeralContainers: [{name: a, securityContext: {privileged: true}}]", "ephemeralContainers"},
        /* Privileged Containers */
        {THEIRS, SECURITY("privileged: true"), IN("privileged")},
        {THEIRS, SECURITY("privileged: 'false'"), IN("privileged")},
        {THEIRS, SECURITY("privileged: false"), NULL},
        {THEIRS, SECURITY("privileged: null"), NULL},
        /* Capabilities */
        {THEIRS, SECURITY("capabilities: {add: [NET_ADMIN]}"), IN("capabilities.add")},
        {THEIRS, SECURITY("capabilities: {add: [NET_BIND_SERVICE, SYS_ADMIN]}"), IN("capabilities.add")},
        {THEIRS, SECURITY("capabilities: {add: [CHOWN]}"), IN("capabilities.add")}, /* baseline would */
        {THEIRS, SECURITY("capabilities: {add: ALL}"), IN("capabilities.add")},
        {THEIRS, SECURITY("capabilities: {drop: []}"), IN("capabilities.drop")},
        {THEIRS, SECURITY("capabilities: {drop: [NET_RAW]}"), IN("capabilities.drop")},
        {THEIRS, SECURITY("capabilities: {add: [NET_BIND_SERVICE], drop: [NET_RAW, ALL]}"), NULL},
        {THEIRS, SECURITY("capabilities: {add: []}"), NULL},
        /* HostPath Volumes, Volume Types */
        {VOLUME, "hostPath: {path: /}", "hostPath"},
        {VOLUME, "nfs: {server: a, path: /}", "nfs"},
        {VOLUME, "iscsi: {}", "iscsi"},
        {VOLUME, "rbd: {}", "rbd"},
        {VOLUME, "cephfs: {}", "cephfs"},
        {VOLUME, "gitRepo: {repository: a}", "gitRepo"},
        {VOLUME, "awsElasticBlockStore: {volumeID: a}", "awsElasticBlockStore"},
        {VOLUME, "azureFile: {}", "azureFile"},
        {VOLUME, "fc: {}", "fc"},
        {VOLUME, "flexVolume: {driver: a}", "flexVolume"},
        {VOLUME, "image: {reference: a}", "image"},
        {VOLUME, "somethingNew: {}", "somethingNew"},
        {VOLUME, "configMap: {name: a}", NULL},
        {VOLUME, "csi: {driver: a}", NULL},
        {VOLUME, "downwardAPI: {items: []}", NULL},
        {VOLUME, "emptyDir: {}", NULL},
        {VOLUME, "ephemeral: {volumeClaimTemplate: {}}", NULL},
        {VOLUME, "persistentVolumeClaim: {claimName: a}", NULL},
        {VOLUME, "projected: {sources: [{configMap: {name: a}}]}", NULL},
        {VOLUME, "secret: {secretName: a}", NULL},
        /* Host Ports */
        {THEIRS, "ports: [{containerPort: 1}, {containerPort: 80, hostPort: 80}]", "ports[1].hostPort"},
        {THEIRS, "ports: [{containerPort: 80, hostPort: 0}]", NULL},
        /* Host Probes / Lifecycle Hooks */
        {THEIRS, "livenessProbe: {httpGet: {port: 1, host: 1.2.3.4}}", "livenessProbe.httpGet.host"},
        {THEIRS, "livenessProbe: {tcpSocket: {port: 1, host: a}}", "livenessProbe.tcpSocket.host"},
        {THEIRS, "readinessProbe: {httpGet: {port: 1, host: a}}", "readinessProbe.httpGet.host"},
        {THEIRS, "readinessProbe: {tcpSocket: {port: 1, host: a}}", "readinessProbe.tcpSocket.host"},
        {THEIRS, "startupProbe: {httpGet: {port: 1, host: a}}", "startupProbe.httpGet.host"},
        {THEIRS, "startupProbe: {tcpSocket: {port: 1, host: a}}", "startupProbe.tcpSocket.host"},
        {THEIRS, "lifecycle: {postStart: {httpGet: {port: 1, host: a}}}", "lifecycle.postStart.httpGet.host"},
        {THEIRS, "lifecycle: {postStart: {tcpSocket: {port: 1, host: a}}}", "lifecycle.postStart.tcpSocket.host"},
        {THEIRS, "lifecycle: {preStop: {httpGet: {port: 1, host: a}}}", "lifecycle.preStop.httpGet.host"},
        {THEIRS, "lifecycle: {preStop: {tcpSocket: {port: 1, host: a}}}", "lifecycle.preStop.tcpSocket.host"},
        {THEIRS, "livenessProbe: {httpGet: {port: 1, host: ''}}, readinessProbe: {tcpSocket: {port: 1}}", NULL},
        /* AppArmor */
        {ALL, SECURITY("appArmorProfile: {type: Unconfined}"), IN("appArmorProfile.type")},
        {ALL, SECURITY("appArmorProfile: {type: RuntimeDefault}"), NULL},
        {ALL, SECURITY("appArmorProfile: {type: Localhost, localhostProfile: a}"), NULL},
        /* SELinux */
        {ALL, SECURITY("seLinuxOptions: {type: spc_t}"), IN("seLinuxOptions.type")},
        {ALL, SECURITY("seLinuxOptions: {user: system_u}"), IN("seLinuxOptions.user")},
        {ALL, SECURITY("seLinuxOptions: {role: system_r}"), IN("seLinuxOptions.role")},
        {ALL, SECURITY("seLinuxOptions: {type: container_t, level: s0}"), NULL},
        {ALL, SECURITY("seLinuxOptions: {type: container_init_t, user: '', role: ''}"), NULL},
        {ALL, SECURITY("seLinuxOptions: {type: container_kvm_t}"), NULL},
        {ALL, SECURITY("seLinuxOptions: {type: container_engine_t}"), NULL},
        /* /proc Mount Type */
        {THEIRS, SECURITY("procMount: Unmasked"), IN("procMount")},
        {THEIRS, SECURITY("procMount: Default"), NULL},
        /* Seccomp */
        {ALL, SECURITY("seccompProfile: {type: Unconfined}"), IN("seccompProfile.type")},
        {ALL, SECURITY("seccompProfile: {type: ''}"), IN("seccompProfile.type")},
        {ALL, SECURITY("seccompProfile: {type: RuntimeDefault}"), NULL},
        {ALL, SECURITY("seccompProfile: {type: Localhost, localhostProfile: a}"), NULL},
        /* Sysctls */
        {POD, SECURITY("sysctls: [{name: kernel.shm_rmid_forced}, {name: kernel.msgmax}]"), IN("sysctls[1].name")},
        {POD, SECURITY("sysctls: [{name: net.core.somaxconn, value: '1'}]"), IN("sysctls[0].name")},
        {POD, SECURITY("sysctls: [{name: kernel.shm_rmid_forced}, {name: net.ipv4.ip_local_port_range}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.ip_unprivileged_port_start}, {name: net.ipv4.tcp_rmem}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.tcp_syncookies}, {name: net.ipv4.ping_group_range}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.tcp_keepalive_time}, {name: net.ipv4.tcp_fin_timeout}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.tcp_keepalive_intvl}, {name: net.ipv4.tcp_wmem}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.tcp_keepalive_probes}]"), NULL},
        {POD, SECURITY("sysctls: [{name: net.ipv4.ip_local_reserved_ports}]"), NULL},
        /* Privilege Escalation */
        {THEIRS, SECURITY("allowPrivilegeEscalation: true"), IN("allowPrivilegeEscalation")},
        {THEIRS, SECURITY("allowPrivilegeEscalation: false"), NULL},
        /* Running as Non-root; Running as Non-root user */
        {ALL, SECURITY("runAsNonRoot: false"), IN("runAsNonRoot")},
        {ALL, SECURITY("runAsNonRoot: true, runAsUser: 1000, runAsGroup: 0"), NULL},
        {ALL, SECURITY("runAsUser: 0"), IN("runAsUser")},
        {ALL, SECURITY("runAsUser: '0'"), IN("runAsUser")},
        /* What has no control */
        {THEIRS, SECURITY("readOnlyRootFilesystem: false"), NULL},
        {THEIRS, "resources: {limits: {cpu: 1}}", NULL},
        {POD, SECURITY("fsGroup: 5, supplementalGroups: [7], fsGroupChangePolicy: OnRootMismatch"), NULL},
};

static void check_row(const struct row *row, const struct place *place)
{
	char template[1024], part[1100], start[256], *text, *found;
	const char *said;

	snprintf(template, sizeof(template), place->format, row->text);
	snprintf(part, sizeof(part), KEYS "\n  %s", template);
	snprintf(start, sizeof(start), ": %s%s: ", place->path, row->path ? row->path : "");
	text = spoil(row->text, KEYS, part);
	found = problems_of(slice_of(text));
	said = strstr(found, start);
	if (row->path ? !said || strchr(found, '\n')[1] : found[0] != '\0')
		fail_msg("%s: expected %s, found:\n%s", template, row->path ? start : "no problem", found);
	free(found);
	free(text);
}

static void every_control_test(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
			if (rows[r].where & places[p].bit)
				check_row(&rows[r], &places[p]);
}

#define ANNOTATION(text) KEYS, KEYS "\n  podTemplate: {metadata: {annotations: {" text "}}}"

/* As it was written before there were fields for it. */
static void annotations_test(void **state)
{
	static const struct job_case cases[] = {
	        {"unconfined", ANNOTATION("container.apparmor.security.beta.kubernetes.io/a: unconfined"),
	         "job.yaml:11:*\n"},
	        {"a profile of the node", ANNOTATION("container.apparmor.security.beta.kubernetes.io/a: localhost/x"),
	         ""},
	        {"the default", ANNOTATION("container.apparmor.security.beta.kubernetes.io/a: runtime/default"), ""},
	        {"seccomp", ANNOTATION("seccomp.security.alpha.kubernetes.io/pod: unconfined"), "job.yaml:11:*\n"},
	        {"another one", ANNOTATION("a.example/b: unconfined"), ""},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_control_test), cmocka_unit_test(annotations_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
