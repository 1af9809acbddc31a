/* streamjob-operator: the command line of the operator. */
#include <jansson.h>

#include "operator/manager/commands.h"
#include "operator/manager/heap.h"

static const struct command commands[] = {
        {"run", operator_run, "run [options]", "keep every StreamJob's pods and status as its spec says"},
        {"plan", operator_plan, "plan FILE...", "print what an apply of these files would change, and change nothing"},
};

int main(int argc, char **argv)
{
	heap_init();
	json_object_seed(0); /* before any thread */
	return commands_run("streamjob-operator", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
