/*
 * The interpreter: configured as `python3` is, so that PYTHONPATH and packages installed for it count; it takes no
 * signals. Its own memory is counted before the user's limit is set, and no package's code runs before.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/worker/python.h"

#define TEXT_OF(number)              #number
#define PYTHON_PROGRAM(major, minor) "/usr/bin/python" TEXT_OF(major) "." TEXT_OF(minor)

static const char prologue[] =
        "import faulthandler, signal, sys\n"
        "faulthandler.enable()\n"                                   /* a crash says where */
        "faulthandler.register(signal.SIGUSR2, all_threads=True)\n" /* and so does a time-out, when asked */
        "sys.stdout.reconfigure(line_buffering=True)\n";

/*
 * Whose packages count: those of STREAMJOB_PYTHON (a program), else of VIRTUAL_ENV (a folder), else of Debian's
 * python3. A virtualenv must be of this version: of another one CPython takes the packages, and fails at the first that
 * is compiled.
 */
static int find_program(struct worker *worker, char *program, size_t size)
{
	const char *named = getenv("STREAMJOB_PYTHON"), *environment = getenv("VIRTUAL_ENV");
	char packages[PATH_MAX], why[PATH_MAX + 256];

	snprintf(program, size, "%s", named ? named : PYTHON_PROGRAM(PY_MAJOR_VERSION, PY_MINOR_VERSION));
	if (named || !environment || !environment[0])
		return REPLY_OK;
	snprintf(packages, sizeof(packages), "%s/lib/python%d.%d/site-packages", environment, PY_MAJOR_VERSION,
	         PY_MINOR_VERSION);
	snprintf(program, size, "%s/bin/python3", environment);
	if (access(program, F_OK) == 0 && access(packages, F_OK) == 0)
		return REPLY_OK;
	snprintf(why, sizeof(why),
	         "VIRTUAL_ENV is %s, which is no virtualenv of Python %d.%d: it has no bin/python3 or is of another "
	         "version; make it with the python3 of this machine or image",
	         environment, PY_MAJOR_VERSION, PY_MINOR_VERSION);
	return worker_error(worker, slice_of(why));
}

int python_begin(struct worker *worker)
{
	char program[PATH_MAX];
	PyConfig config;
	PyStatus status;

	if (find_program(worker, program, sizeof(program)) != REPLY_OK)
		return REPLY_ERROR;

	PyConfig_InitPythonConfig(&config);
	config.install_signal_handlers = 0;
	config.parse_argv = 0;
	config.write_bytecode = 0;
	config.site_import = 0; /* that runs code of packages: within the memory limit, by begin_packages */
	status = PyConfig_SetBytesString(&config, &config.program_name, program);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status))
		return worker_error(worker, slice_of(status.err_msg ? status.err_msg : "the interpreter cannot start"));
	if (PyRun_SimpleString(prologue) < 0 || shared_view_type() < 0)
		return worker_error(worker,
		                    SLICE_LITERAL("the interpreter cannot be prepared; its words are on stderr"));
	return REPLY_OK;
}

int python_begin_packages(void)
{
	PyObject *site = PyImport_ImportModule("site"), *done = site ? PyObject_CallMethod(site, "main", NULL) : NULL;

	Py_XDECREF(site);
	Py_XDECREF(done);
	return done ? 0 : -1;
}
