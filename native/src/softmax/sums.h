// Arithmetic on kernels_softmax_sum in double: the scalar part of the family, the same for every instruction set.
#pragma once

#include <kernels/softmax.h>

#include <cmath>

namespace kernels::softmax {

inline constexpr double log2_e = 0x1.71547652b82fep+0;

// ln 2 = high + low. high has 33 significant bits, so that its product with an integer below 2^20 is exact in double.
inline constexpr double ln2_high = 0x1.62e42fefp-1, ln2_low = 0x1.473de6af278edp-34;

// Logits up to this size are exponentiated as they stand: n = x log2(e) and the reduced argument lose nothing. Of a row
// with a larger maximum, the maximum is subtracted first, which is then exact wherever the result is not zero: logits
// within 745 (the range of exp in f64) of 2048 are multiples of the 2^-42 (f64) or 2^-13 (f32) that keep the difference
// representable.
inline constexpr double direct_limit = 2048;

// What is subtracted from the logits of a row with this maximum, a finite number.
inline double shift_for(double maximum) {
    return std::abs(maximum) < direct_limit ? 0 : maximum;
}

// The integer n for which exp(maximum - shift) = m 2^n with m around 1.
inline double exponent_for(double maximum, double shift) {
    return std::nearbyint((maximum - shift) * log2_e);
}

// The mantissa that the sum has when it is expressed with another exponent and shift.
double mantissa_at(const kernels_softmax_sum& sum, double exponent, double shift);

// The same value with a mantissa in [1, 2); zero, infinity and NaN stay as they are, with exponent 0.
kernels_softmax_sum normalized(double mantissa, double exponent, double shift, double maximum);

kernels_softmax_sum combine(const kernels_softmax_sum* parts, int64_t count);

// A running sum that keeps what each addition rounds off (Neumaier): its error does not grow with the number of terms.
struct compensated {
    double sum = 0, lost = 0;
    void add(double term);
    double value() const { return sum + lost; }
};

int64_t chunk_length(int64_t row_length);

} // namespace kernels::softmax
