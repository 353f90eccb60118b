#include "sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kernels::softmax {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Beyond this many powers of two apart, the smaller of two numbers vanishes in the sum, whatever their mantissas.
constexpr double vanishing_exponent = 4096;

// Chunks of a row are this long or longer. Two of them make a row worth sharing out: waking a thread costs about as
// much as the sum of one. SoftmaxPartition has the same rule.
constexpr int64_t shortest_chunk = 1 << 16;

} // namespace

double mantissa_at(const kernels_softmax_sum& sum, double exponent, double shift) {
    const double difference = sum.shift - shift;
    if (sum.mantissa == 0 || difference < -vanishing_exponent)
        return std::isnan(sum.mantissa) ? sum.mantissa : 0;
    const double n = std::nearbyint(difference * log2_e);
    const double reduced = (difference - n * ln2_high) - n * ln2_low;
    const double scale = std::clamp(sum.exponent + n - exponent, -vanishing_exponent, vanishing_exponent);
    return std::ldexp(sum.mantissa * std::exp(reduced), int(scale));
}

kernels_softmax_sum normalized(double mantissa, double exponent, double shift, double maximum) {
    if (mantissa == 0 || !std::isfinite(mantissa))
        return {mantissa, 0, 0, maximum};
    const int power = std::ilogb(mantissa);
    return {std::ldexp(mantissa, -power), exponent + power, shift, maximum};
}

kernels_softmax_sum combine(const kernels_softmax_sum* parts, int64_t count) {
    double maximum = -infinity, special = 0;
    for (int64_t i = 0; i < count; i++) {
        maximum = std::max(maximum, parts[i].maximum);
        if (!std::isfinite(parts[i].mantissa))
            special += parts[i].mantissa;
    }
    if (special != 0 || maximum == -infinity)
        return {special, 0, 0, maximum};
    const double shift = shift_for(maximum), exponent = exponent_for(maximum, shift);
    compensated mantissa;
    for (int64_t i = 0; i < count; i++)
        mantissa.add(mantissa_at(parts[i], exponent, shift));
    return normalized(mantissa.value(), exponent, shift, maximum);
}

void compensated::add(double term) {
    const double next = sum + term;
    lost += std::abs(sum) >= std::abs(term) ? (sum - next) + term : (term - next) + sum;
    sum = next;
}

int64_t chunk_length(int64_t row_length) {
    const int64_t least = (row_length + KERNELS_SOFTMAX_CHUNK_LIMIT - 1) / KERNELS_SOFTMAX_CHUNK_LIMIT;
    return (std::max(least, shortest_chunk) + shortest_chunk - 1) / shortest_chunk * shortest_chunk;
}

} // namespace kernels::softmax
