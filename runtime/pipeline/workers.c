#include "runtime/pipeline/workers.h"

const struct worker_ops udf_worker_ops = {
        .start = udf_start,
        .stop = udf_stop,
        .eval = udf_eval,
        .eval_table = udf_eval_table,
        .accumulate = udf_accumulate,
        .values = udf_values,
        .emit = udf_emit,
        .save = udf_save,
        .merge = udf_merge,
        .clear = udf_clear,
        .probe = udf_probe_rows,
        .metrics = udf_metrics,
};
