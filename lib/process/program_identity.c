#include "lib/process/program_identity.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"

#define KERNELS_OWN "linux-" /* linux-vdso.so.1, linux-gate.so.1 */

struct identity {
	struct buffer ids; /* one behind the other, in the order in which they were loaded: the program first */
	bool program;      /* it has one */
};

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* The build id among the notes of a segment, empty: none. */
static struct slice build_id(const char *notes, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		const char *name = notes + sizeof(note);
		size_t whole;

		memcpy(&note, notes, sizeof(note));
		whole = sizeof(note) + padded(note.n_namesz) + padded(note.n_descsz);
		if (whole > size)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			return (struct slice){name + padded(note.n_namesz), note.n_descsz};
		notes += whole;
		size -= whole;
	}
	return (struct slice){"", 0};
}

static int add(struct dl_phdr_info *info, size_t unused, void *context)
{
	struct identity *identity = context;
	bool is_program = !info->dlpi_name[0];

	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		struct slice id;

		if (info->dlpi_phdr[i].p_type != PT_NOTE || !strncmp(info->dlpi_name, KERNELS_OWN, strlen(KERNELS_OWN)))
			continue;
		id = build_id((const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), info->dlpi_phdr[i].p_memsz);
		buffer_append(&identity->ids, id.data, id.size);
		identity->program = identity->program || (is_program && id.size);
	}
	return 0;
}

bool program_identity(char ret_identity[PROGRAM_IDENTITY_SIZE])
{
	struct identity identity = {.program = false};
	char hex[HASH_SHA256_HEX];

	buffer_init(&identity.ids);
	dl_iterate_phdr(add, &identity);
	hash_sha256_hex(buffer_slice(&identity.ids), hex);
	buffer_release(&identity.ids);
	memcpy(ret_identity, hex, PROGRAM_IDENTITY_SIZE - 1);
	ret_identity[PROGRAM_IDENTITY_SIZE - 1] = '\0';
	return identity.program;
}
