// The kernels of one instruction set and element type, behind plain function pointers.
#pragma once

#include <kernels/softmax.h>

namespace kernels::softmax {

struct kernel_table {
    int element_bytes;
    void (*compute)(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end);
    kernels_softmax_sum (*partial_sum)(const kernels_softmax_rows& rows, int64_t row, int64_t begin, int64_t end);
    void (*normalize)(const kernels_softmax_rows& rows, int64_t row, int64_t begin, int64_t end,
                      const kernels_softmax_sum& sum);
    void (*backward)(const kernels_softmax_gradient_rows& rows, int64_t row_begin, int64_t row_end);
    void (*top_k)(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end, void* values, int32_t* indices,
                  int32_t count);
};

// Indexed by element type: f32, f64, f16, bf16.
inline constexpr int type_count = 4;
extern const kernel_table scalar_kernels[type_count];
extern const kernel_table avx2_kernels[type_count];
extern const kernel_table avx512_kernels[type_count];

} // namespace kernels::softmax
