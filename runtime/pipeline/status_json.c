#include "runtime/pipeline/status_json.h"

#include "lib/base/text.h"
#include "lib/data/civil.h"

json_t *status_text_json(const char *text)
{
	struct buffer quoted;
	json_t *json;

	buffer_init(&quoted);
	text_json_string(&quoted, slice_of(text));
	json = json_loadb(quoted.data, quoted.size, JSON_DECODE_ANY, NULL);
	buffer_release(&quoted);
	return json;
}

json_t *status_time_json(int64_t ms)
{
	struct buffer text;
	json_t *json;

	buffer_init(&text);
	civil_format(&text, ms);
	json = json_stringn(text.data, text.size);
	buffer_release(&text);
	return json;
}
