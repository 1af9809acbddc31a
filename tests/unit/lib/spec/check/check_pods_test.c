#include "tests/unit/lib/spec/job_case.h"

#define WITH(text) KEYS, "groupBy: [bucket]\n  " text

/* A team may set what is theirs, and is told what is not. */
static void pods_test(void **state)
{
	static const struct job_case cases[] = {
	        {"two pods", WITH("parallelism: 2"),
	         "job.yaml:11:16: spec.parallelism: more than one pod is not possible yet; use 1; a pod uses as many "
	         "cores as its resources give it\n"},
	        {"a word as suspend", WITH("suspend: soon"),
	         "job.yaml:11:12: spec.suspend: found the string \"soon\"; expected true or false\n"},
	        {"resources that do not exist", WITH("resources: {limit: {cpu: 1}}"),
	         "job.yaml:11:22: spec.resources.limit: is not for a StreamJob to set; known here: requests, limits "
	         "and "
	         "claims\n"},
	        {"the host's network", WITH("podTemplate: {spec: {hostNetwork: true}}"),
	         "job.yaml:11:37: spec.podTemplate.spec.hostNetwork: is not for a StreamJob to set; a pod template may "
	         "set *\n"},
	        {"the runtime's image", WITH("podTemplate: {spec: {containers: [{name: streamjob, image: x}]}}"),
	         "job.yaml:11:62: spec.podTemplate.spec.containers[0].image: is not for a StreamJob to set; of the "
	         "runtime's container a template may set env, envFrom and volumeMounts\n"},
	        {"a container without a name", WITH("podTemplate: {spec: {initContainers: [{image: x}]}}"),
	         "job.yaml:11:41: spec.podTemplate.spec.initContainers[0]: a container without a name; give it a name; "
	         "the runtime's is streamjob\n"},
	        {"a label of the operator", WITH("podTemplate: {metadata: {labels: {app.kubernetes.io/name: x}}}"),
	         "job.yaml:11:61: spec.podTemplate.metadata.labels[\"app.kubernetes.io/name\"]: is the operator's; "
	         "choose another name\n"},
	        {"a directory of the node", WITH("podTemplate: {spec: {volumes: [{name: v, hostPath: {path: /}}]}}"),
	         "job.yaml:11:54: spec.podTemplate.spec.volumes[0].hostPath: is no volume that the Pod Security "
	         "Standard \"restricted\" allows; configMap, csi, downwardAPI, emptyDir, ephemeral, "
	         "persistentVolumeClaim, projected and secret are allowed\n"},
	        {"null, which would take out the operator's", WITH("podTemplate: {spec: {serviceAccountName: null}}"),
	         "job.yaml:11:*\n"},
	        {"null in the runtime's container",
	         WITH("podTemplate: {spec: {containers: [{name: streamjob, volumeMounts: null}]}}"), "job.yaml:11:*\n"},
	        {"a volume with a name of the operator",
	         WITH("podTemplate: {spec: {volumes: [{name: streamjob-tmp}]}}"),
	         "job.yaml:11:34: spec.podTemplate.spec.volumes[0]: names that begin with streamjob- are the "
	         "operator's; "
	         "choose another name\n"},
	        {"a mount over the job file",
	         WITH("podTemplate: {spec: {containers: [{name: streamjob, volumeMounts: [{name: v, mountPath: "
	              "/etc/streamjob/job}]}]}}"),
	         "job.yaml:11:70: spec.podTemplate.spec.containers[0].volumeMounts[0]: a folder of the operator; mount "
	         "it "
	         "elsewhere\n"},
	        {"a variable twice",
	         WITH("podTemplate: {spec: {containers: [{name: streamjob, env: [{name: TZ}, {name: A}, {name: "
	              "TZ}]}]}}"),
	         "job.yaml:11:84: spec.podTemplate.spec.containers[0].env[2]: has the name of env[0]; each name "
	         "once\n"},
	        {"a container twice", WITH("podTemplate: {spec: {containers: [{name: side}, {name: side}]}}"),
	         "job.yaml:11:51: spec.podTemplate.spec.containers[1]: has the name of containers[0]; each name "
	         "once\n"},
	        {"constraints of one topology, but two kinds",
	         WITH("podTemplate: {spec: {topologySpreadConstraints: [{topologyKey: z, whenUnsatisfiable: A}, "
	              "{topologyKey: z, whenUnsatisfiable: B}]}}"),
	         ""},
	        {"constraints of one topology and kind",
	         WITH("podTemplate: {spec: {topologySpreadConstraints: [{topologyKey: z, whenUnsatisfiable: A}, "
	              "{topologyKey: z, whenUnsatisfiable: A}]}}"),
	         "job.yaml:11:92: spec.podTemplate.spec.topologySpreadConstraints[1]: has the topologyKey of "
	         "topologySpreadConstraints[0]; each topologyKey once\n"},
	        {"a directive of a merge", WITH("podTemplate: {spec: {nodeSelector: {$patch: delete}}}"),
	         "job.yaml:11:47: spec.podTemplate.spec.nodeSelector[\"$patch\"]: directives of a merge are not taken; "
	         "leave "
	         "it "
	         "out\n"},
	        {"a deletion that is not known", WITH("deletionPolicy: {pushgateway: Remove}"),
	         "job.yaml:11:33: spec.deletionPolicy.pushgateway: unknown value \"Remove\"; it can be Keep or "
	         "Delete\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pods_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
