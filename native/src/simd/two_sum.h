// A sum in vectors of doubles that keeps what each addition rounds off (Knuth's TwoSum), so that its error does not
// grow with the number of terms. Include inside the target region of V.
#pragma once

namespace kernels::simd {

template <class V> struct two_sum {
    typename V::vector sum, lost;

    two_sum plus(typename V::vector v) const {
        const auto next = V::add(sum, v);
        const auto added = V::subtract(next, sum);
        const auto error = V::add(V::subtract(sum, V::subtract(next, added)), V::subtract(v, added));
        return {next, V::add(lost, error)};
    }

    // Of each lane, if its terms are finite or NaN.
    typename V::vector lanes() const { return V::add(sum, lost); }

    // Of an infinite sum the rest is NaN and does not count.
    double total() const {
        const double whole = V::total_lanes(sum);
        return std::isfinite(whole) ? whole + V::total_lanes(lost) : whole;
    }
};

} // namespace kernels::simd
