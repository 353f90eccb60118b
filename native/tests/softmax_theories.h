// What the softmax tests share: inputs, tolerances, and a main that runs the theories of one group.
#pragma once

#include "check.h"
#include "elements.h"
#include "softmax_oracle.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

template <class T> std::vector<T> random_logits(int count, double low, double high, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<T> x;
    for (int i = 0; i < count; i++)
        x.push_back(make<T>(uniform(generator)));
    return x;
}

template <class T> oracle::row widened(const std::vector<T>& x) {
    oracle::row wide;
    for (T value : x)
        wide.push_back(read(value));
    return wide;
}

// How far a result may be off: the kernels' own error, in terms of `scale` (the size of what the error is relative to:
// of a ratio its own), and the rounding of the result.
template <class T> long double tolerance(long double expected, long double scale) {
    const long double rounding = scale == std::fabs(expected) ? element<T>::rounding : element<T>::log_rounding;
    return element<T>::accuracy * scale + rounding * std::fabs(expected) + element<T>::smallest * 0.5000001L;
}

template <class T> void check_close(T actual, long double expected, long double scale) {
    CHECK_CLOSE(read(actual), expected, std::isfinite(expected) ? tolerance<T>(expected, scale) : 0);
}

// logit_error: how far the kernels' logits may be off; it counts twice, in the result's own logit and in the sum.
template <class T>
void check_row(const T* actual, const oracle::row& expected, bool is_log, long double logit_error = 0) {
    for (size_t i = 0; i < expected.size(); i++) {
        const long double scale = is_log ? 1 : std::fabs(expected[i]);
        const long double bound = tolerance<T>(expected[i], scale) + 2 * logit_error * scale;
        CHECK_CLOSE(read(actual[i]), expected[i], std::isfinite(expected[i]) ? bound : 0);
    }
}

// Of a capped logit: a division, a tanh within 4 roundoffs and a product, of a number no larger than the cap.
template <class T> long double cap_error(double soft_cap) {
    return 6 * soft_cap * std::numeric_limits<typename element<T>::compute>::epsilon() / 2;
}

template <class T> struct problem : kernels_softmax_rows {
    problem(const T* logits, T* results, int rows, int length) : kernels_softmax_rows() {
        input = logits;
        output = results;
        outer_count = rows;
        row_length = length;
        inner_count = causal_query_count = 1;
        input_row_stride = output_row_stride = length;
        scale = 1;
    }
};

inline oracle::row expected(const oracle::row& z, int32_t operation, bool safe) {
    return operation == KERNELS_SOFTMAX_PROBABILITIES ? oracle::probabilities(z, safe)
                                                      : oracle::log_probabilities(z, safe);
}

// The base of a class of theories: one element type on one instruction set.
template <class T> class theories_on {
  public:
    explicit theories_on(int32_t isa) : isa_(isa) {}

  protected:
    void run(const kernels_softmax_rows& p) const {
        const int64_t rows = int64_t(p.outer_count) * p.inner_count;
        CHECK(kernels_softmax_compute(isa_, element<T>::type, &p, 0, rows) == KERNELS_OK);
    }

    int32_t isa_;
};

// Runs the theory of this name on every instruction set of the machine; false if there is none.
template <class Theories> bool run_theory(const std::string& name) {
    for (const auto& [known, theory] : Theories::all)
        if (name == known) {
            for (int32_t isa : {KERNELS_SCALAR, KERNELS_AVX2, KERNELS_AVX512})
                if (kernels_cpu_supports(isa) == KERNELS_OK)
                    (Theories(isa).*theory)();
            return true;
        }
    return false;
}

// main of a test program: <theory> <type>
template <template <class> class Theories> int run_theories(int argc, char** argv) {
    const std::string name = argc == 3 ? argv[1] : "", type = argc == 3 ? argv[2] : "";
    const bool found = type == "f32"    ? run_theory<Theories<float>>(name)
                       : type == "f64"  ? run_theory<Theories<double>>(name)
                       : type == "f16"  ? run_theory<Theories<kernels::f16>>(name)
                       : type == "bf16" ? run_theory<Theories<kernels::bf16>>(name)
                                        : false;
    if (found)
        return check::result();
    std::printf("usage: %s <theory> <f32|f64|f16|bf16>\n", argv[0]);
    return 2;
}
