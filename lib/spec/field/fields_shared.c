/* The field table: what the tables of sources and sinks share. */
#include "lib/spec/field/tables.h"

const struct choice rejections[] = {{"skip", REJECTED_SKIP}, {"fail", REJECTED_FAIL}, {NULL, 0}};

static const struct field file_fields[] = {{.name = "path",
                                            .kind = FIELD_STRING,
                                            .required = true,
                                            .offset = offsetof(struct file_target, path),
                                            .min = 1,
                                            .max = 4096,
                                            .doc = "Path of a file with one JSON object a line."},
                                           {0}};

const struct object file_object = {.title = "File", .size = sizeof(struct file_target), .fields = file_fields};

static const struct field secret_fields[] = {{.name = "name",
                                              .kind = FIELD_STRING,
                                              .required = true,
                                              .offset = offsetof(struct secret_ref, name),
                                              .min = 1,
                                              .max = 253,
                                              .pattern = &secret_name_pattern,
                                              .doc = "Name of a Secret in the job's namespace."},
                                             {0}};

const struct object secret_object = {
        .title = "Secret reference", .size = sizeof(struct secret_ref), .fields = secret_fields};
