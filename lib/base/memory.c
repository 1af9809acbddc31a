#include "lib/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void (*say_exhausted)(void);

void memory_install_exhausted(void (*say)(void))
{
	say_exhausted = say;
}

void memory_exhausted(void)
{
	if (say_exhausted)
		say_exhausted();
	abort();
}

static void *checked(void *memory)
{
	if (!memory)
		memory_exhausted();
	return memory;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t size)
{
	return checked(realloc(memory, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

void *budget_alloc(struct budget *budget, size_t size)
{
	return budget_resize(budget, NULL, 0, size);
}

void *budget_resize(struct budget *budget, void *memory, size_t old_size, size_t new_size)
{
	size_t others = budget->used_bytes - old_size;
	void *resized;

	if (new_size > budget->max_bytes || others > budget->max_bytes - new_size)
		return NULL;
	resized = realloc(memory, new_size ? new_size : 1);
	if (resized)
		budget->used_bytes = others + new_size;
	return resized;
}

void budget_free(struct budget *budget, void *memory, size_t size)
{
	if (!memory)
		return;
	budget->used_bytes -= size;
	free(memory);
}
