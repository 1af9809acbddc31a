/* streamjob: the command line of the runtime. */
#include "runtime/cli/cli.h"

static const struct command commands[] = {
        {"run", command_run, "run FILE [options]", "run the job until it ends, is stopped or fails"},
        {"validate", command_validate, "validate FILE...", "print everything that is wrong with job files"},
        {"explain", command_explain, "explain FILE", "print the plan of a job"},
        {"schema", command_schema, "schema --crd | --reference", "print the CRD or the reference of the job file"},
        {"cleanup", command_cleanup, "cleanup FILE [options]", "delete the Pushgateway groups of a job that is gone"},
};

int main(int argc, char **argv)
{
	return commands_run("streamjob", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
