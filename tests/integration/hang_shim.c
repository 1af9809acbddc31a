/*
 * For LD_PRELOAD: a call of a client library does not return while a file with its name is in the folder HOLD_FOLDER,
 * as if the library had a fault; it then makes the file "held" there.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 20000000

static void *held(const char *call)
{
	const char *folder = getenv("HOLD_FOLDER");
	char name[PATH_MAX], mark[PATH_MAX];

	snprintf(name, sizeof(name), "%s/%s", folder ? folder : "/nowhere", call);
	snprintf(mark, sizeof(mark), "%s/held", folder ? folder : "/nowhere");
	while (access(name, F_OK) == 0) {
		close(open(mark, O_WRONLY | O_CREAT, 0644));
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
	return dlsym(RTLD_NEXT, call);
}

void *rd_kafka_commit_transaction(void *producer, int timeout_ms)
{
	return ((void *(*)(void *, int))held("rd_kafka_commit_transaction"))(producer, timeout_ms);
}

int rd_kafka_flush(void *producer, int timeout_ms)
{
	return ((int (*)(void *, int))held("rd_kafka_flush"))(producer, timeout_ms);
}

int rd_kafka_metadata(void *client, int all, void *topic, const void **ret_metadata, int timeout_ms)
{
	return ((int (*)(void *, int, void *, const void **, int))held("rd_kafka_metadata"))(client, all, topic,
	                                                                                     ret_metadata, timeout_ms);
}

int curl_easy_perform(void *curl)
{
	return ((int (*)(void *))held("curl_easy_perform"))(curl);
}
