#include "lib/base/exit_code.h"

void exit_codes_table(struct buffer *out)
{
	buffer_append_text(out, "| exit code | | meaning |\n|---|---|---|\n");
#define X(symbol, number, word, meaning) buffer_append_text(out, "| " #number " | " word " | " meaning " |\n");
	EXIT_CODES(X)
#undef X
}

void exit_codes_line(struct buffer *out)
{
#define X(symbol, number, word, meaning) buffer_append_text(out, (number) ? ", " #number " " word : #number " " word);
	EXIT_CODES(X)
#undef X
}
