// Every kernel of the family for one instruction set, given by its vector classes. Include inside a target region,
// after these headers:
//   <cmath> <cstdint> <limits> <type_traits>, "../elements.h", "kernel_table.h", "sums.h", "tiles.h"
#pragma once

#include "transform.h"
#include "exponential.h"
#include "logits.h"
#include "row_sum.h"
#include "outputs.h"
#include "rows.h"
#include "columns.h"
#include "packed_rows.h"
#include "gradient.h"
#include "top_k.h"

namespace kernels::softmax {

template <class V, class T> void compute(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end) {
    if (rows.inner_count == 1 && is_packed<V>(rows))
        compute_packed<V, T>(rows, row_begin, row_end);
    else if (rows.inner_count == 1)
        compute_rows<V, T>(rows, row_begin, row_end);
    else
        compute_columns<V, T>(rows, row_begin, row_end);
}

template <class V, class T>
inline constexpr kernel_table kernels_of = {int(sizeof(T)),  compute<V, T>,  partial_sum<V, T>,
                                            normalize<V, T>, backward<V, T>, top_k<V, T>};

} // namespace kernels::softmax
