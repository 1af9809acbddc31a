/*
 * The field table: one row a field of the job file. The loader, the defaults, the checks, the CRD, the reference and
 * the canonical form are all made from it; a new field is a member in jobspec.h and a row here.
 *
 * Static and read-only.
 */
#ifndef STREAMJOB_FIELDS_H
#define STREAMJOB_FIELDS_H

#include "lib/spec/document/document.h"
#include "lib/spec/field/jobspec.h"
#include "lib/spec/field/patterns.h"

enum field_kind {
	FIELD_STRING,
	FIELD_EXPRESSION, /* SQL */
	FIELD_WORD,       /* a string that is one of the choices */
	FIELD_ENUM,       /* one of the choices, as a number */
	FIELD_BOOLEAN,
	FIELD_INTEGER,
	FIELD_DOUBLE,
	FIELD_DURATION,
	FIELD_BYTES,
	FIELD_STRINGS,    /* struct names */
	FIELD_STRING_MAP, /* struct pairs */
	FIELD_DOUBLES,    /* double *, count */
	FIELD_JSON,       /* an object that is not ours, as JSON text */
	FIELD_OBJECT,
	FIELD_OBJECTS,       /* a list: pointer, count */
	FIELD_KEYED_OBJECTS, /* a map: pointer, count; the key goes to the object's key_offset */
};

#define FIELD_NOT_STORED SIZE_MAX
#define FIELD_DOUBLE_MAX 1e300 /* a bound that is not worth showing */

struct choice {
	const char *name;
	int value;
};

struct field {
	const char *name, *doc;
	enum field_kind kind;
	bool required;
	bool variant; /* exactly one of the object's variants is given */
	int tag;      /* of a variant: goes to the object's tag_offset */
	size_t offset, count_offset;
	const char *initial;  /* the default as the file would say it */
	const char *computed; /* the default in words, where it depends on other fields */
	int64_t min, max;     /* characters, items, milliseconds, bytes or the integer itself */
	double low, high;
	int64_t item_max; /* characters of a list's string or a map's value */
	const struct pattern *pattern, *key_pattern;
	const struct choice *choices; /* ends in a NULL name */
	const struct object *object;
	bool set;     /* of FIELD_STRINGS: none twice */
	bool cluster; /* for the operator alone: not in the canonical job file */
};

/* What must hold between the fields of an object. `members` is the struct, `given` the node. */
struct rule {
	const char *cel; /* NULL where CEL cannot say it */
	const char *wrong, *right;
	const char *field; /* where it is reported */
	bool (*holds)(const void *members, const struct node *given);
};

struct object {
	const char *title; /* of its section in the reference */
	const char *doc;   /* NULL: the field's */
	size_t size;
	const struct field *fields; /* ends in a NULL name */
	const struct rule *rules;   /* ends in a NULL `wrong`; or NULL */
	size_t tag_offset;          /* where there are variants */
	size_t key_offset;          /* where a FIELD_KEYED_OBJECTS holds it */
	bool named;                 /* a list of these is one of unique names */
};

#endif
