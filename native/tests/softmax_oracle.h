// The definition of the operations, in long double, one element after another.
#pragma once

#include <kernels/softmax.h>

#include <vector>

namespace oracle {

using row = std::vector<long double>;

// The logits as the kernels see them: already rounded, scaled, capped and masked.
long double log_sum_exp(const row& logits);
row probabilities(const row& logits, bool safe);
row log_probabilities(const row& logits, bool safe);
row gradient(const row& output_gradient, const row& result, bool is_log);

// The positions of the count largest, descending, ties by lower index.
std::vector<int32_t> top_k(const row& logits, int32_t count);

} // namespace oracle
