/* The folders for temporary files: what is in one is counted, whatever the function made of it, and goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/udf/scratch.h"

#define FILE_BYTES 1048576
#define NOBODY     65534
#define LOOKS      5000
#define EXCHANGE   2 /* RENAME_EXCHANGE, which some headers have where others do not */
#define OWN_MODE   0500

static char place[] = "/tmp/streamjob-places-XXXXXX";

/* As a user whom modes bind. */
static int begin(void **state)
{
	(void)state;
	if (geteuid() == 0 && seteuid(NOBODY) < 0)
		return -1;
	return mkdtemp(place) ? setenv("TMPDIR", place, 1) : -1;
}

static int end(void **state)
{
	(void)state;
	if (rmdir(place) < 0) /* nothing is left in it */
		return -1;
	return seteuid(getuid()) < 0 ? -1
	                             : prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* LeakSanitizer looks at the process then */
}

static int fill(const char *folder, const char *name)
{
	char path[2 * PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, FILE_BYTES), 0);
	return fd;
}

static int64_t counted(const char *path)
{
	struct scratch_use use;

	scratch_measure(path, getpid(), &use);
	return (use.memory_bytes + use.disk_bytes) / FILE_BYTES;
}

static void all_is_counted(void **state)
{
	char path[PATH_MAX], name[2 * PATH_MAX], other[2 * PATH_MAX];
	int first, second, copy;

	(void)state;
	scratch_make(path);
	assert_true(path[0]);
	assert_int_equal(counted(path), 0);
	first = fill(path, "plain");
	assert_int_equal(counted(path), 1);
	snprintf(name, sizeof(name), "%s/plain", path);
	snprintf(other, sizeof(other), "%s/second", path);
	assert_int_equal(link(name, other), 0); /* the same file */
	assert_int_equal(counted(path), 1);
	unlink(name);
	unlink(other);
	copy = dup(first);
	assert_int_equal(counted(path), 1); /* open without a name, by two descriptors */
	close(first);
	close(copy);
	assert_int_equal(counted(path), 0);
	snprintf(name, sizeof(name), "%s/hidden", path);
	assert_int_equal(mkdir(name, 0700), 0);
	second = fill(path, "hidden/file");
	close(second);
	assert_int_equal(chmod(name, 0300), 0); /* as mkdir makes it too */
	assert_int_equal(counted(path), 1);
	assert_int_equal(chmod(name, 0), 0);
	assert_int_equal(counted(path), 1);
	snprintf(other, sizeof(other), "%s/elsewhere", path);
	assert_int_equal(symlink("/usr", other), 0); /* is not followed */
	assert_int_equal(counted(path), 1);
	assert_int_equal(chmod(name, 0), 0);
	scratch_remove(path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access("/usr/bin", F_OK), 0);
}

static void each_has_its_own(void **state)
{
	char first[PATH_MAX], second[PATH_MAX];

	(void)state;
	scratch_make(first);
	scratch_make(second);
	assert_string_not_equal(first, second);
	close(fill(first, "file"));
	scratch_remove(second);
	assert_int_equal(counted(first), 1);
	scratch_remove(first);
}

/* As something that cleans /tmp up does it. */
static void what_is_cleaned_up_is_made_again(void **state)
{
	char first[PATH_MAX], second[PATH_MAX], above[PATH_MAX];

	(void)state;
	scratch_make(first);
	snprintf(above, sizeof(above), "%.*s", (int)(strrchr(first, '/') - first), first);
	assert_int_equal(rmdir(first), 0);
	assert_int_equal(rmdir(above), 0);
	scratch_make(second);
	assert_true(second[0]);
	close(fill(second, "file"));
	scratch_remove(first);
	assert_int_equal(counted(second), 1);
	scratch_remove(second);
}

struct swap {
	char folder[2 * PATH_MAX], other[2 * PATH_MAX];
	_Atomic bool over;
};

static void *swap_again_and_again(void *argument)
{
	struct swap *swap = argument;

	while (!atomic_load(&swap->over))
		syscall(SYS_renameat2, AT_FDCWD, swap->folder, AT_FDCWD, swap->other, EXCHANGE);
	return NULL;
}

/* A function puts a link where a folder of no mode was while it is looked at. */
static void what_is_elsewhere_stays(void **state)
{
	char path[PATH_MAX], elsewhere[PATH_MAX];
	struct swap swap = {.over = false};
	struct stat there;
	pthread_t thread;
	int fd;

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", place);
	assert_int_equal(mkdir(elsewhere, OWN_MODE), 0);
	scratch_make(path);
	snprintf(swap.folder, sizeof(swap.folder), "%s/folder", path);
	snprintf(swap.other, sizeof(swap.other), "%s/other", path);
	assert_int_equal(mkdir(swap.folder, 0700), 0);
	fd = open(swap.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(symlink(elsewhere, swap.other), 0);
	assert_int_equal(pthread_create(&thread, NULL, swap_again_and_again, &swap), 0);
	for (int i = 0; i < LOOKS; i++) {
		fchmod(fd, 0);
		counted(path);
	}
	atomic_store(&swap.over, true);
	pthread_join(thread, NULL);
	close(fd);
	scratch_remove(path);
	assert_int_equal(stat(elsewhere, &there), 0);
	rmdir(elsewhere);
	assert_int_equal(there.st_mode & 07777, OWN_MODE);
}

static void a_place_that_is_not_there(void **state)
{
	char path[PATH_MAX];

	(void)state;
	setenv("TMPDIR", "/no/such/place", 1);
	scratch_make(path);
	assert_string_equal(path, "");
	scratch_remove(path);
	setenv("TMPDIR", place, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_is_counted),
	        cmocka_unit_test(each_has_its_own),
	        cmocka_unit_test(what_is_cleaned_up_is_made_again),
	        cmocka_unit_test(what_is_elsewhere_stays),
	        cmocka_unit_test(a_place_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
