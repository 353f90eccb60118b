// The sum of exp over a row, block by block. Include inside a target region.
#pragma once

namespace kernels::softmax {

// Lanes that a loop's tail does not fill hold minus infinity: a term of 2^deepest, nothing beside the row's largest.
template <class V>
inline constexpr typename V::element masked_logit = -std::numeric_limits<typename V::element>::infinity();

template <class V> typename V::element greatest(const typename V::element* x, int64_t count) {
    constexpr int64_t w = V::width;
    auto first = V::set(masked_logit<V>), second = first;
    int64_t i = 0;
    for (; i + 4 * w <= count; i += 4 * w) {
        first = V::maximum(V::maximum(V::load(x + i), V::load(x + i + w)), first);
        second = V::maximum(V::maximum(V::load(x + i + 2 * w), V::load(x + i + 3 * w)), second);
    }
    for (; i + w <= count; i += w)
        first = V::maximum(V::load(x + i), first);
    if (i < count)
        first = V::maximum(V::load_first(x + i, count - i, masked_logit<V>), first);
    return V::greatest(V::maximum(first, second));
}

template <class V> bool contains_nan(const typename V::element* x, int64_t count) {
    int64_t i = 0;
    for (; i + V::width <= count; i += V::width)
        if (V::any_nan(V::load(x + i)))
            return true;
    return i < count && V::any_nan(V::load_first(x + i, count - i, 0));
}

// The terms of a block, added up; the terms themselves are kept where `keep` says, and the largest logit where not.
// Two vectors are added in the element type and the result in double, so that the error does not grow with the length.
template <class V, bool keep> struct block_sum {
    using element = typename V::element;
    using vector = typename V::vector;

    double sum;
    element maximum;

    template <class Reference> block_sum(const Reference& reference, const element* x, int64_t count, element* terms) {
        constexpr int64_t w = V::width;
        auto wide = V::wide_zero();
        vector top = V::set(masked_logit<V>);
        int64_t i = 0;
        for (; i + 4 * w <= count; i += 4 * w) {
            const vector x0 = V::load(x + i), x1 = V::load(x + i + w);
            const vector x2 = V::load(x + i + 2 * w), x3 = V::load(x + i + 3 * w);
            if constexpr (keep) {
                const vector e0 = reference.term(x0), e1 = reference.term(x1);
                const vector e2 = reference.term(x2), e3 = reference.term(x3);
                wide = V::accumulate(V::accumulate(wide, V::add(e0, e1)), V::add(e2, e3));
                V::store(terms + i, e0);
                V::store(terms + i + w, e1);
                V::store(terms + i + 2 * w, e2);
                V::store(terms + i + 3 * w, e3);
            } else {
                wide = V::accumulate(wide, reference.add_term(reference.term(x0), x1));
                wide = V::accumulate(wide, reference.add_term(reference.term(x2), x3));
                top = V::maximum(V::maximum(V::maximum(x0, x1), V::maximum(x2, x3)), top);
            }
        }
        for (; i < count; i += w) {
            const int64_t here = count - i < w ? count - i : w;
            const vector logit = here == w ? V::load(x + i) : V::load_first(x + i, here, masked_logit<V>);
            const vector e = reference.term(logit);
            wide = V::accumulate(wide, e);
            if constexpr (keep)
                here == w ? V::store(terms + i, e) : V::store_first(terms + i, e, here);
            else
                top = V::maximum(logit, top);
        }
        sum = V::total(wide);
        maximum = V::greatest(top);
    }
};

// Sums relative to a reference that the first block sets and that moves only when a later logit leaves the window above
// it: sum of exp(x) = sum_ 2^(exponent_ - headroom) exp(shift_).
template <class V> class row_sum {
    using element = typename V::element;

  public:
    void add(const element* x, int64_t count) {
        if (count == 0)
            return;
        if (has_reference_) {
            const block_sum<V, false> block = sum_of_block(x, count);
            if (!(block.maximum > limit_)) {
                sum_.add(block.sum);
                maximum_ = block.maximum > maximum_ ? block.maximum : maximum_;
                return;
            }
        }
        const element here = greatest<V>(x, count);
        maximum_ = here > maximum_ ? here : maximum_;
        // Only -inf (or nothing) so far, or +inf: the sum is known but for a NaN.
        if (std::isinf(maximum_)) {
            has_reference_ = false;
            if (contains_nan<V>(x, count))
                sum_ = {std::numeric_limits<double>::quiet_NaN()};
            return;
        }
        move_reference();
        sum_.add(sum_of_block(x, count).sum);
    }

    kernels_softmax_sum result() const {
        if (maximum_ > 0 && std::isinf(maximum_))
            return {std::isnan(sum_.value()) ? sum_.value() : double(maximum_), 0, 0, double(maximum_)};
        if (std::isfinite(maximum_) && shift_for(maximum_) != shift_)
            return at_maximum();
        return normalized(sum_.value(), exponent_ - headroom, shift_, double(maximum_));
    }

  private:
    block_sum<V, false> sum_of_block(const element* x, int64_t count) const {
        return with_reference<V>(shift_, exponent_, [=](const auto& reference) {
            return block_sum<V, false>(reference, x, count, nullptr);
        });
    }

    // Shifted by the largest logit, terms have other digits. Its own is exchanged for the one that it has there, so
    // that the sum stays no smaller.
    kernels_softmax_sum at_maximum() const {
        const double shift = shift_for(maximum_), exponent = exponent_for(maximum_, shift);
        const double rest = sum_.value() - term_of(exponential<V>(shift_, exponent_), maximum_);
        const double moved = mantissa_at({rest, exponent_, shift_, 0}, exponent, shift);
        const double mantissa = moved + term_of(exponential<V>(shift, exponent), maximum_);
        return normalized(mantissa, exponent - headroom, shift, double(maximum_));
    }

    void move_reference() {
        const kernels_softmax_sum before = {sum_.value(), exponent_, shift_, 0};
        shift_ = shift_for(maximum_);
        exponent_ = exponent_for(maximum_, shift_);
        sum_ = {mantissa_at(before, exponent_, shift_)};
        const double window = shift_ + (exponent_ + rebase_window) / log2_e;
        limit_ = element(shift_ == 0 && window > direct_limit ? direct_limit : window);
        has_reference_ = true;
    }

    compensated sum_;
    double exponent_ = 0, shift_ = 0;
    element maximum_ = masked_logit<V>, limit_ = 0;
    bool has_reference_ = false;
};

} // namespace kernels::softmax
