// softmax_tests <theory> <type>: softmax along the last axis, its gradients, and the largest probabilities.
#include "softmax_theories.h"

namespace {

// Every length through several vectors of every width, and the block edges of the kernels (2048 f64, 4096 f32).
std::vector<int> lengths() {
    std::vector<int> all;
    for (int n = 0; n <= 257; n++)
        all.push_back(n);
    for (int edge : {2048, 4096, 8192})
        for (int n = edge - 1; n <= edge + 1; n++)
            all.push_back(n);
    return all;
}

template <class T> class row_theories : theories_on<T> {
    using theories_on<T>::run, theories_on<T>::isa_;

  public:
    using theories_on<T>::theories_on;

    static constexpr std::pair<const char*, void (row_theories::*)() const> all[] = {
        {"rows", &row_theories::rows},
        {"special", &row_theories::special},
        {"options", &row_theories::options},
        {"short_rows", &row_theories::short_rows},
        {"chunks", &row_theories::chunks},
        {"long_row", &row_theories::long_row},
        {"gradient", &row_theories::gradient},
        {"capped_gradient", &row_theories::capped_gradient},
        {"log_gradient_range", &row_theories::log_gradient_range},
        {"top_k", &row_theories::top_k},
    };

    // Every operation, every length, three ranges of logits, in place and not.
    void rows() const {
        const double ranges[][2] = {{-10, 10}, {90, 100}, {3000, 3020}};
        for (int n : lengths())
            for (const auto& range : ranges) {
                const auto x = random_logits<T>(n, range[0], range[1], unsigned(n));
                check_all(x, false);
                check_in_place(x);
            }
    }

    void special() const {
        const std::vector<std::vector<double>> cases = {{-infinity, 0, 1},
                                                        {-infinity, -infinity},
                                                        {infinity, 0},
                                                        {nan_value, 0, 1},
                                                        {nan_value, infinity, 3},
                                                        {-infinity, nan_value},
                                                        {88, 1000},
                                                        {1e30, -1e30},
                                                        {-1e30, -1e30},
                                                        {-90, -100, -103, 0},
                                                        {-700, -740, -744, 0},
                                                        {-5000, -5001, -5002},
                                                        {3.4e38, -3e30},
                                                        {0},
                                                        {-0.0, 0.0},
                                                        {1e-40, -1e-40},
                                                        {}};
        for (const auto& values : cases)
            for (bool safe : {false, true})
                for (int repeat : {1, 7, 1500}) { // 1500: rows of more than one block, which are done in two passes
                    std::vector<T> x;
                    for (int i = 0; i < repeat; i++)
                        for (double v : values)
                            x.push_back(make<T>(v));
                    check_all(x, safe);
                }
        // A special value in a late block, when the sum has a reference already, and an early one that is dwarfed.
        for (double late : {infinity, nan_value, -infinity, 500.0, 4000.0, 60000.0}) {
            auto x = random_logits<T>(20000, -3, 3, 5);
            x[17000] = make<T>(late);
            check_all(x, false);
            x[0] = make<T>(infinity);
            check_all(x, false);
        }
        // Rising blocks move the reference again and again.
        std::vector<T> rising;
        for (int i = 0; i < 40000; i++)
            rising.push_back(make<T>(-6000 + i * 0.3));
        check_all(rising, false);
    }

    // Scale, cap, masks, lengths and causality, composed in the compute type as the header says.
    void options() const {
        using compute = typename element<T>::compute;
        const int count = 5;
        for (int n : {1, 7, 33, 257, 5000}) {
            const auto x = random_logits<T>(n * count, -4, 4, 11);
            const auto mask = random_logits<T>(n * count, -2, 2, 12);
            std::vector<uint8_t> allowed(n);
            std::vector<int32_t> row_lengths = {n, 0, (n + 1) / 2, n - 1, 1};
            for (int i = 0; i < n; i++)
                allowed[i] = i % 5 != 3;
            for (bool shared_mask : {false, true})
                for (bool causal : {false, true})
                    for (double soft_cap : {0.0, 3.0}) {
                        std::vector<T> y(x.size());
                        problem<T> p(x.data(), y.data(), count, n);
                        p.scale = 0.7;
                        p.soft_cap = soft_cap;
                        p.mask = mask.data();
                        p.mask_row_stride = shared_mask ? 0 : n;
                        p.boolean_mask = allowed.data();
                        p.row_lengths = row_lengths.data();
                        p.causal = causal;
                        p.causal_query_count = count;
                        p.safe = 1;
                        run(p);
                        for (int r = 0; r < count; r++) {
                            const int visible = std::max(0, std::min(row_lengths[r], r + 1 + n - count));
                            const int live = causal ? visible : row_lengths[r];
                            oracle::row z(n, -infinity);
                            for (int i = 0; i < live; i++) {
                                compute v = compute(read(x[r * n + i])) * compute(p.scale);
                                if (soft_cap != 0)
                                    v = compute(soft_cap) * compute(std::tanh(double(v / compute(soft_cap))));
                                v += compute(read(mask[shared_mask ? i : r * n + i]));
                                z[i] = allowed[i] ? v : compute(-infinity);
                            }
                            check_row(&y[r * n], oracle::probabilities(z, true), false, cap_error<T>(soft_cap));
                        }
                    }
        }
    }

    // Special values in rows that are shorter than the array: what lies beyond is left out, not NaN.
    void short_rows() const {
        for (int n : {40, 9000})
            for (double value : {nan_value, infinity, 1.0})
                for (int32_t live : {0, 1, n / 2, n})
                    for (int32_t operation : {KERNELS_SOFTMAX_PROBABILITIES, KERNELS_SOFTMAX_LOG_PROBABILITIES}) {
                        auto x = random_logits<T>(n, -8, 8, 81);
                        std::vector<T> y(n);
                        x[0] = make<T>(value);
                        problem<T> p(x.data(), y.data(), 1, n);
                        p.operation = operation;
                        p.row_lengths = &live;
                        run(p);
                        auto wanted = expected(widened(std::vector<T>(x.begin(), x.begin() + live)), operation, false);
                        const double left_out = operation == KERNELS_SOFTMAX_PROBABILITIES ? 0 : -infinity;
                        wanted.resize(n, live == 0 ? nan_value : left_out);
                        check_row(y.data(), wanted, operation == KERNELS_SOFTMAX_LOG_PROBABILITIES);
                    }
    }

    // A row done in chunks gives the bits of the row done at once.
    void chunks() const {
        for (int n : {65536, 65537, 200000})
            for (double spread : {10.0, 3000.0}) {
                auto x = random_logits<T>(n, -spread, spread, 3);
                std::vector<T> whole(n), pieces(n);
                problem<T> p(x.data(), whole.data(), 1, n);
                run(p);
                p.output = pieces.data();
                const int64_t chunk = kernels_softmax_chunk_length(n);
                std::vector<kernels_softmax_sum> parts;
                for (int64_t begin = 0; begin < n; begin += chunk) {
                    parts.emplace_back();
                    CHECK(kernels_softmax_partial_sum(isa_, element<T>::type, &p, 0, begin,
                                                      std::min<int64_t>(n, begin + chunk),
                                                      &parts.back()) == KERNELS_OK);
                }
                kernels_softmax_sum sum;
                CHECK(kernels_softmax_combine(parts.data(), int64_t(parts.size()), &sum) == KERNELS_OK);
                for (int64_t begin = 0; begin < n; begin += chunk)
                    CHECK(kernels_softmax_normalize(isa_, element<T>::type, &p, 0, begin,
                                                    std::min<int64_t>(n, begin + chunk), &sum) == KERNELS_OK);
                CHECK(std::memcmp(whole.data(), pieces.data(), n * sizeof(T)) == 0);
            }
    }

    // Two million elements: the error of the sum does not grow with the length.
    void long_row() const {
        const int n = 2'000'000;
        for (double spread : {0.0, 10.0}) {
            const auto x = random_logits<T>(n, 1.1 - spread, 1.1 + spread, 9);
            problem<T> p(x.data(), nullptr, 1, n);
            kernels_softmax_sum sum;
            CHECK(kernels_softmax_partial_sum(isa_, element<T>::type, &p, 0, 0, n, &sum) == KERNELS_OK);
            const long double expected = oracle::log_sum_exp(widened(x));
            const long double mantissa = sum.mantissa;
            const long double actual = std::log(mantissa) + sum.exponent * std::log(2.0L) + sum.shift;
            CHECK_CLOSE(std::expm1(actual - expected), 0, element<T>::accuracy);
        }
    }

    void gradient() const {
        for (int n : lengths())
            for (bool is_log : {false, true}) {
                const auto x = random_logits<T>(n, -3, 3, 21), g = random_logits<T>(n, -1, 1, 22);
                std::vector<T> result(n), actual(n);
                problem<T> forward(x.data(), result.data(), 1, n);
                forward.operation = is_log;
                run(forward);
                kernels_softmax_gradient_rows rows = {g.data(), result.data(), nullptr, actual.data(), 1, 0, 1,
                                                      n,        is_log,        0};
                CHECK(kernels_softmax_backward(isa_, element<T>::type, &rows, 0, 1) == KERNELS_OK);
                const auto expected = oracle::gradient(widened(g), widened(result), is_log);
                // The difference g - sum cancels: the error is relative to its parts.
                for (int i = 0; i < n; i++) {
                    const long double p = is_log ? std::exp(read(result[i])) : read(result[i]);
                    const long double parts = is_log ? std::fabs(read(g[i])) + p * n : p * (1 + std::fabs(read(g[i])));
                    check_close(actual[i], expected[i], parts);
                }
            }
    }

    // With scale and cap: the chain rule on top.
    void capped_gradient() const {
        using compute = typename element<T>::compute;
        const double scale = 0.7, cap = 3;
        for (int n : {1, 33, 5000}) {
            const auto x = random_logits<T>(n, -3, 3, 23), g = random_logits<T>(n, -1, 1, 24);
            std::vector<T> result(n), actual(n);
            problem<T> forward(x.data(), result.data(), 1, n);
            forward.scale = scale;
            forward.soft_cap = cap;
            run(forward);
            kernels_softmax_gradient_rows rows = {g.data(), result.data(), x.data(), actual.data(), scale, cap, 1, n, 0,
                                                  0};
            CHECK(kernels_softmax_backward(isa_, element<T>::type, &rows, 0, 1) == KERNELS_OK);
            const auto plain = oracle::gradient(widened(g), widened(result), false);
            for (int i = 0; i < n; i++) {
                const compute argument = compute(scale) * compute(read(x[i])) / compute(cap);
                const long double t = std::tanh((long double)argument), slope = compute(scale) * (1 - t * t);
                check_close(actual[i], plain[i] * slope, read(result[i]) * (1 + std::fabs(read(g[i]))));
            }
        }
    }

    // What no log-softmax gives: exp(l) grows up to the limit that the header names, and stays defined beyond.
    void log_gradient_range() const {
        const std::vector<double> logarithms = {1e-6, 3, 30, 60000, infinity, -infinity, -3};
        const int n = int(logarithms.size());
        std::vector<T> g(n, make<T>(0.5)), l, actual(n);
        for (double value : logarithms)
            l.push_back(make<T>(value));
        kernels_softmax_gradient_rows rows = {g.data(), l.data(), nullptr, actual.data(), 1, 0, 1, n, 1, 0};
        CHECK(kernels_softmax_backward(isa_, element<T>::type, &rows, 0, 1) == KERNELS_OK);
        // Minus infinity took no part.
        const long double limit = 32 / std::log2(std::exp(1.0L)), sum = 0.5L * (n - 1);
        for (int i = 0; i < n; i++) {
            if (logarithms[i] == -infinity) {
                CHECK(read(actual[i]) == 0);
                continue;
            }
            const long double size = sum * std::exp(std::min(limit, read(l[i])));
            const bool overflows = element<T>::type == KERNELS_F16 && size > 65520;
            // The limit itself is rounded to the compute type, and so is its product with log2 e.
            check_close(actual[i], overflows ? -infinity : 0.5L - size, size * (read(l[i]) > limit ? 16 : 1) + 0.5L);
        }
    }

    void top_k() const {
        for (int n : {1, 5, 64, 257, 5000})
            for (int k : {1, 3, 40, n}) {
                if (k > n)
                    continue;
                auto x = random_logits<T>(n, -3, 3, 31);
                for (int i = 0; i + 7 < n; i += 3)
                    x[i + 7] = x[i]; // ties
                const auto z = widened(x);
                std::vector<T> values(k);
                std::vector<int32_t> indices(k);
                problem<T> p(x.data(), nullptr, 1, n);
                CHECK(kernels_softmax_top_k(isa_, element<T>::type, &p, 0, 1, values.data(), indices.data(), k) ==
                      KERNELS_OK);
                const auto best = oracle::top_k(z, k);
                const auto probabilities = oracle::probabilities(z, false);
                CHECK(indices == best);
                for (int i = 0; i < k; i++)
                    check_close(values[i], probabilities[best[i]], probabilities[best[i]]);
                // Beyond the row's length positions follow in order, with probability 0.
                const int32_t live = n / 2;
                p.row_lengths = &live;
                p.safe = 1;
                CHECK(kernels_softmax_top_k(isa_, element<T>::type, &p, 0, 1, values.data(), indices.data(), k) ==
                      KERNELS_OK);
                for (int i = live; i < k; i++)
                    CHECK(indices[i] == i && read(values[i]) == 0);
                p.row_lengths = nullptr;
                x[n / 2] = make<T>(nan_value);
                CHECK(kernels_softmax_top_k(isa_, element<T>::type, &p, 0, 1, values.data(), indices.data(), k) ==
                      KERNELS_OK);
                for (int i = 0; i < k; i++)
                    CHECK(indices[i] == i && std::isnan(read(values[i])));
            }
    }

  private:
    // Exact-size vectors: the address sanitizer sees a read or write past their ends.
    void check_all(const std::vector<T>& x, bool safe) const {
        const auto z = widened(x);
        for (int32_t operation = 0; operation <= KERNELS_SOFTMAX_LOG_SUM_EXP; operation++) {
            const bool reduces = operation == KERNELS_SOFTMAX_LOG_SUM_EXP;
            std::vector<T> y(reduces ? 1 : x.size());
            problem<T> p(x.data(), y.data(), 1, int(x.size()));
            p.operation = operation;
            p.safe = safe;
            run(p);
            if (reduces)
                check_close(y[0], oracle::log_sum_exp(z), 1);
            else
                check_row(y.data(), expected(z, operation, safe), operation == KERNELS_SOFTMAX_LOG_PROBABILITIES);
        }
    }

    void check_in_place(std::vector<T> x) const {
        std::vector<T> y(x.size());
        run(problem<T>(x.data(), y.data(), 1, int(x.size())));
        run(problem<T>(x.data(), x.data(), 1, int(x.size())));
        CHECK(x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
    }
};

} // namespace

int main(int argc, char** argv) {
    return run_theories<row_theories>(argc, argv);
}
