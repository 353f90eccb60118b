// exp(x) relative to a reference, without ever forming a power of two that could overflow:
//
//   exp(x) = m 2^n,  n = round(x log2 e),  t = x - n ln 2,  m = exp(t) as a polynomial, |t| <= ln(2) / 2
//
// A term is m 2^(n - reference exponent + headroom): at most 2^(headroom + rebase window), and normal down to far below
// what rounds to zero in the result, so that the final division by 2^headroom sum rounds once, denormals included.
// (m, n) is the pair of "The Two-Pass Softmax Algorithm", Dukhan and Ablavatski, arXiv 2001.04438.
//
// Include inside a target region.
#pragma once

namespace kernels::softmax {

template <class Element> struct exponential_constants;

template <> struct exponential_constants<float> {
    static constexpr float log2_e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e43p-1f, ln2_low = -0x1.05c61p-29f;
    static constexpr float exponent_bias = 127, rounding = 0x1.8p23f;
    static constexpr double deepest = -189; // 2^(deepest + headroom) is normal; 2^deepest is far below 2^-149
    // Of (exp(t) - 1) / t; minimax (Remez) for the relative error of exp(t) with the first two given: 4.5e-9.
    static constexpr float coefficients[] = {1, 0.5f, 0.166664883f, 0.0416655503f, 0.00837232918f, 0.00140357635f};
};

template <> struct exponential_constants<double> {
    static constexpr double log2_e = softmax::log2_e;
    static constexpr double ln2_high = softmax::ln2_high, ln2_low = softmax::ln2_low;
    static constexpr double exponent_bias = 1023, rounding = 0x1.8p52;
    static constexpr double deepest = -1085;
    // As above, with the first given: 9.7e-18.
    static constexpr double coefficients[] = {1,
                                              0.5000000000000011,
                                              0.1666666666666641,
                                              0.04166666666652919,
                                              0.008333333333495629,
                                              0.00138888889439224,
                                              0.0001984126950475105,
                                              2.480149276298244e-05,
                                              2.755758735602051e-06,
                                              2.763037857338101e-07,
                                              2.4999960762325258e-08};
};

// Room for terms above the reference, and for their sum, below the overflow of f32 at 2^128.
inline constexpr double headroom = 64, headroom_factor = 0x1p64;

// How many powers of two a term may exceed the reference by before the sum is moved to a new one.
inline constexpr double rebase_window = 32;

// x = n ln 2 + t
template <class V> struct reduced_argument {
    using vector = typename V::vector;
    using constants = exponential_constants<typename V::element>;

    // Its lowest bits are n + what the magic number adds to it.
    vector z;
    vector t;

    reduced_argument(vector x, vector magic) {
        z = V::multiply_add(x, V::set(constants::log2_e), magic);
        const vector n = V::subtract(z, magic);
        t = V::multiply_add(n, V::set(-constants::ln2_high), x);
        t = V::multiply_add(n, V::set(-constants::ln2_low), t);
    }

    // q for exp(t) = 1 + t q
    vector quotient() const {
        constexpr int degree = sizeof(constants::coefficients) / sizeof(constants::coefficients[0]) - 1;
        vector q = V::set(constants::coefficients[degree]);
        for (int i = degree - 1; i >= 0; i--)
            q = V::multiply_add(q, t, V::set(constants::coefficients[i]));
        return q;
    }
};

// With is_shifted false the shift is 0, and nothing is subtracted from the logits: the same bits.
template <class V, bool is_shifted = true> class exponential {
    using element = typename V::element;
    using vector = typename V::vector;
    using constants = exponential_constants<element>;

  public:
    // Terms are exp(x - shift) 2^(headroom - exponent).
    exponential(double shift, double exponent)
        : exponential(V::set(element(shift)), V::set(floor_of(exponent)), V::set(magic_of(exponent))) {}

    // A reference for each lane, by the two functions below.
    exponential(vector shift, vector floor, vector magic) : shift_(shift), floor_(floor), magic_(magic) {}

    // The least x - shift: the terms of smaller ones are as good as zero.
    static element floor_of(double exponent) { return element((exponent + constants::deepest) / log2_e); }

    // Added to x log2 e, it rounds to an integer and leaves the biased exponent of the term in the lowest bits.
    static element magic_of(double exponent) {
        return element(constants::rounding + constants::exponent_bias + headroom - exponent);
    }

    vector term(vector x) const {
        const reduced_argument<V> r = reduced(x);
        return V::multiply(mantissa(r), V::power_of_two(r.z));
    }

    // sum + term(x), rounded once.
    vector add_term(vector sum, vector x) const {
        const reduced_argument<V> r = reduced(x);
        return V::multiply_add(mantissa(r), V::power_of_two(r.z), sum);
    }

  private:
    // In this order of operands NaN survives the maximum.
    reduced_argument<V> reduced(vector x) const {
        if constexpr (is_shifted)
            x = V::subtract(x, shift_);
        return {V::maximum(floor_, x), magic_};
    }

    static vector mantissa(const reduced_argument<V>& r) { return V::multiply_add(r.quotient(), r.t, V::set(1)); }

    vector shift_, floor_, magic_;
};

// What the function makes of the reference at hand, which most rows have at 0.
template <class V, class Function> auto with_reference(double shift, double exponent, const Function& function) {
    return shift == 0 ? function(exponential<V, false>(0, exponent)) : function(exponential<V, true>(shift, exponent));
}

// The term of one logit, the same digits as in a sum.
template <class V> double term_of(const exponential<V>& reference, double logit) {
    return V::greatest(reference.term(V::set(typename V::element(logit))));
}

// tanh(u) = e / (e + 2) with e = exp(2u) - 1 = t q 2^n + (2^n - 1), which keeps what is small: within 4 roundoffs.
template <class V> typename V::vector hyperbolic_tangent(typename V::vector u) {
    // From 2u = 38.2 on tanh rounds to 1, in f64 too. In this order of operands NaN survives.
    constexpr int saturation = 40;
    const auto x = V::maximum(V::set(-saturation), V::minimum(V::set(saturation), V::add(u, u)));
    const reduced_argument<V> r(x, V::set(exponential<V>::magic_of(headroom)));
    const auto power = V::power_of_two(r.z);
    const auto e = V::multiply_add(V::multiply(r.quotient(), r.t), power, V::subtract(power, V::set(1)));
    return V::divide(e, V::add(e, V::set(2)));
}

} // namespace kernels::softmax
