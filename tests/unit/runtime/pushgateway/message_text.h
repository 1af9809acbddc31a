/* What a gateway reads from delimited protocol buffers, as the text format: for tests that look at what was pushed. */
#ifndef STREAMJOB_TESTS_MESSAGE_TEXT_H
#define STREAMJOB_TESTS_MESSAGE_TEXT_H

#include "lib/base/buffer.h"

/* How many bytes were whole families: all of them, where the body is whole. */
size_t message_text(struct slice body, struct buffer *out);

#endif
