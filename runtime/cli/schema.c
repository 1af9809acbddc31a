/* streamjob schema: the CRD and the reference, from the field table. */
#include <stdio.h>
#include <string.h>

#include "runtime/cli/cli.h"

int command_schema(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	struct buffer out;

	buffer_init(&out);
	if (!strcmp(what, "--crd")) {
		jobspec_crd(&out);
	} else if (!strcmp(what, "--reference")) {
		jobspec_reference(&out);
	} else {
		bool help = !strcmp(what, "--help") || !strcmp(what, "-h");

		fputs("usage: streamjob schema --crd | --reference\n\n"
		      "Prints the CustomResourceDefinition (YAML) or the reference of all fields (Markdown).\n",
		      help ? stdout : stderr);
		return help ? EXIT_OK : EXIT_USAGE;
	}
	fwrite(buffer_slice(&out).data, 1, out.size, stdout);
	buffer_release(&out);
	return EXIT_OK;
}
