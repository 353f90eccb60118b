// Streamed rows of every type around every register, and planes of keys, against plain loops in long double;
// independence of batch mates; special values; bad arguments.
#include "check.h"
#include "elements.h"

#include <kernels/sparse_attention.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int tile = KERNELS_ATTENTION_TILE;
constexpr int32_t all_isas[] = {KERNELS_SCALAR, KERNELS_AVX2, KERNELS_AVX512};
constexpr int32_t plane_isas[] = {KERNELS_AVX_VNNI, KERNELS_AVX512_VNNI};

struct int8 {
    int8_t value;
};

float widen(int8 x) {
    return x.value;
}
using kernels::widen;

template <class T> constexpr int32_t type_of = element<T>::type;
template <> constexpr int32_t type_of<int8> = KERNELS_I8;

template <class T> T stored(double value) {
    return make<T>(value);
}
template <> int8 stored<int8>(double value) {
    return {int8_t(std::lround(value * 40))};
}

// Vectors of their exact sizes: the sanitizer sees any access beyond.
template <class T> struct problem {
    int queries, count, d, stride;
    std::vector<std::vector<T>> rows;
    std::vector<const uint8_t*> addresses;
    std::vector<float> query, scores, output;

    problem(int queries, int count, int d)
        : queries(queries), count(count), d(d), stride((d + 31) / 32 * 32), rows(count, std::vector<T>(d)),
          addresses(tile), query(at_least_one(queries) * stride), scores(at_least_one(queries) * tile),
          output(at_least_one(queries) * stride) {
        std::mt19937 random(uint32_t(queries * 10000 + count * 100 + d));
        std::normal_distribution<double> normal;
        for (auto& row : rows)
            for (auto& x : row)
                x = stored<T>(normal(random));
        for (int q = 0; q < queries; q++)
            for (int i = 0; i < d; i++)
                query[q * stride + i] = float(normal(random));
        for (auto& score : scores)
            score = float(normal(random));
        for (int i = 0; i < tile; i++)
            addresses[i] = count == 0 ? nullptr : reinterpret_cast<const uint8_t*>(rows[std::min(i, count - 1)].data());
    }

    // An empty vector has no address.
    static size_t at_least_one(int count) { return size_t(std::max(count, 1)); }

    kernels_attention_rows describe() {
        return {
            addresses.data(), addresses.data(), query.data(), scores.data(), output.data(), count, queries, d, stride};
    }
};

template <class T> void check_scores(problem<T>& p) {
    for (int q = 0; q < p.queries; q++)
        for (int j = 0; j < p.count; j++) {
            long double sum = 0, size = 0;
            for (int i = 0; i < p.d; i++) {
                const long double product = static_cast<long double>(p.query[q * p.stride + i]) * widen(p.rows[j][i]);
                sum += product;
                size += std::fabs(product);
            }
            CHECK_CLOSE(p.scores[q * tile + j], sum, size * p.d * 0x1p-24L);
        }
}

template <class T> void check_output(problem<T>& p, const std::vector<float>& before) {
    for (int q = 0; q < p.queries; q++)
        for (int i = 0; i < p.stride; i++) {
            long double sum = before[q * p.stride + i], size = std::fabs(sum);
            for (int j = 0; i < p.d && j < p.count; j++) {
                const long double product = static_cast<long double>(p.scores[q * tile + j]) * widen(p.rows[j][i]);
                sum += product;
                size += std::fabs(product);
            }
            CHECK_CLOSE(p.output[q * p.stride + i], sum, size * (p.count + 1) * 0x1p-24L);
        }
}

template <class T> void run_rows(int32_t isa, int queries, int count, int d) {
    problem<T> p(queries, count, d);
    kernels_attention_rows rows = p.describe();
    const std::vector<float> weights = p.scores;
    CHECK(kernels_attention_score_keys(isa, type_of<T>, &rows) == KERNELS_OK);
    check_scores(p);
    // A query row alone has the same bits.
    const std::vector<float> together = p.scores;
    for (int q = 0; q < queries && count > 0; q++) {
        rows.query_count = 1;
        rows.queries = p.query.data() + q * p.stride;
        rows.scores = p.scores.data() + q * tile;
        CHECK(kernels_attention_score_keys(isa, type_of<T>, &rows) == KERNELS_OK);
        CHECK(std::memcmp(&p.scores[q * tile], &together[q * tile], count * sizeof(float)) == 0);
    }
    p.scores = weights;
    for (int i = 0; i < p.d; i++)
        for (int q = 0; q < queries; q++)
            p.output[q * p.stride + i] = float(i);
    const std::vector<float> before = p.output;
    rows = p.describe();
    CHECK(kernels_attention_add_values(isa, type_of<T>, &rows) == KERNELS_OK);
    check_output(p, before);
    const std::vector<float> all = p.output;
    p.output = before;
    for (int q = 0; q < queries; q++) {
        rows.query_count = 1;
        rows.scores = p.scores.data() + q * tile;
        rows.output = p.output.data() + q * p.stride;
        CHECK(kernels_attention_add_values(isa, type_of<T>, &rows) == KERNELS_OK);
    }
    CHECK(queries == 0 || std::memcmp(all.data(), p.output.data(), all.size() * sizeof(float)) == 0);
}

template <class T> void rows_of_type() {
    for (const int32_t isa : all_isas) {
        if (kernels_cpu_supports(isa) != KERNELS_OK)
            continue;
        for (const int d : {1, 7, 8, 15, 16, 17, 31, 33, 64, 65, 128, 200})
            for (const int queries : {0, 1, 2, 3, 4, 5, 8, 11})
                run_rows<T>(isa, queries, 11, d);
        for (const int count : {0, 1, 3, 4, 5, 8, 9, 63, 64})
            for (const int queries : {1, 2, 3, 4})
                run_rows<T>(isa, queries, count, 40);
    }
}

// Infinities and NaN of stored elements are what they are, in their own sums alone.
template <class T> void special_of_type() {
    for (const int32_t isa : all_isas) {
        if (kernels_cpu_supports(isa) != KERNELS_OK)
            continue;
        for (const float special : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
            problem<T> p(4, 5, 20);
            kernels::narrow(special, p.rows[2][17]);
            for (auto& x : p.query)
                x = x == 0 ? 0 : std::fabs(x);
            for (auto& x : p.scores)
                x = std::fabs(x) + 1;
            kernels_attention_rows rows = p.describe();
            CHECK(kernels_attention_add_values(isa, type_of<T>, &rows) == KERNELS_OK);
            CHECK(kernels_attention_score_keys(isa, type_of<T>, &rows) == KERNELS_OK);
            for (int q = 0; q < 4; q++) {
                for (int j = 0; j < 5; j++)
                    CHECK(std::isfinite(p.scores[q * tile + j]) == (j != 2));
                for (int i = 0; i < 20; i++)
                    CHECK(std::isfinite(p.output[q * p.stride + i]) == (i != 17));
                CHECK(std::isnan(special) == std::isnan(p.output[q * p.stride + 17]));
            }
        }
    }
}

void planes() {
    constexpr int tokens = KERNELS_ATTENTION_BLOCK_TOKENS, codes_of_step = KERNELS_ATTENTION_STEP_DIMENSIONS;
    std::mt19937 random(5);
    for (const int32_t isa : plane_isas) {
        if (kernels_cpu_supports(isa) != KERNELS_OK)
            continue;
        for (const int heads : {0, 1, 3, 4, 5, 8})
            for (const int blocks : {0, 1, 2, 3, 4})
                for (const int steps : {1, 2, 16})
                    for (const bool has_low : {false, true}) {
                        const size_t block_bytes = size_t(steps) * tokens * KERNELS_ATTENTION_LANE_BYTES;
                        std::vector<std::vector<uint8_t>> high(blocks), low(blocks);
                        std::vector<std::vector<float>> token_scales(blocks);
                        std::vector<const uint8_t*> high_at, low_at;
                        std::vector<const float*> scales_at;
                        for (int b = 0; b < blocks; b++) {
                            for (size_t i = 0; i < block_bytes; i++) {
                                high[b].push_back(uint8_t(random()));
                                low[b].push_back(uint8_t(random()));
                            }
                            for (int t = 0; t < tokens; t++)
                                token_scales[b].push_back(float(random() % 100) / 64);
                            high_at.push_back(high[b].data());
                            low_at.push_back(low[b].data());
                            scales_at.push_back(token_scales[b].data());
                        }
                        std::vector<int8_t> codes(size_t(heads) * steps * codes_of_step);
                        for (auto& code : codes)
                            code = int8_t(int(random() % 255) - 127);
                        std::vector<float> scales(heads + 1, 0.25f), offsets(heads + 1, -3.0f);
                        std::vector<float> scores(size_t(heads) * blocks * tokens + 1);
                        // Empty vectors have no address: one element more, which is not counted.
                        codes.push_back(0);
                        high_at.push_back(nullptr), low_at.push_back(nullptr), scales_at.push_back(nullptr);
                        const kernels_attention_planes planes = {high_at.data(),
                                                                 has_low ? low_at.data() : nullptr,
                                                                 high_at.data(),
                                                                 scales_at.data(),
                                                                 codes.data(),
                                                                 scales.data(),
                                                                 offsets.data(),
                                                                 scores.data(),
                                                                 int64_t{blocks} * tokens,
                                                                 blocks,
                                                                 steps,
                                                                 heads};
                        CHECK(kernels_attention_score_planes(isa, &planes) == KERNELS_OK);
                        for (int h = 0; h < heads; h++)
                            for (int t = 0; t < blocks * tokens; t++) {
                                int64_t sums[2] = {};
                                for (int step = 0; step < steps; step++)
                                    for (int i = 0; i < codes_of_step; i++) {
                                        const size_t at = (size_t(step) * tokens + t % tokens) * 4 + i % 4;
                                        const int code = codes[(size_t(h) * steps + step) * codes_of_step + i];
                                        sums[0] += (high[t / tokens][at] >> i / 4 * 4 & 15) * code;
                                        sums[1] += (low[t / tokens][at] >> i / 4 * 4 & 15) * code;
                                    }
                                const long double expected = 0.25L * token_scales[t / tokens][t % tokens] *
                                                             (16 * sums[0] + (has_low ? sums[1] : 0) - 3);
                                CHECK_CLOSE(scores[size_t(h) * blocks * tokens + t], expected,
                                            std::fabs(expected) * 0x1p-22L);
                            }
                    }
    }
    kernels_attention_planes none{};
    CHECK(kernels_attention_score_planes(KERNELS_AVX_VNNI, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_attention_score_planes(KERNELS_AVX_VNNI, &none) == KERNELS_INVALID_ARGUMENT);
}

void nonsense() {
    problem<float> p(1, 3, 8);
    kernels_attention_rows rows = p.describe();
    const auto status = [&] { return kernels_attention_score_keys(KERNELS_SCALAR, KERNELS_F32, &rows); };
    CHECK(status() == KERNELS_OK);
    CHECK(kernels_attention_score_keys(KERNELS_SCALAR, KERNELS_F64, &rows) == KERNELS_UNSUPPORTED_TYPE);
    CHECK(kernels_attention_add_values(KERNELS_SCALAR, -1, &rows) == KERNELS_UNSUPPORTED_TYPE);
    CHECK(kernels_attention_add_values(KERNELS_AVX_VNNI, KERNELS_F32, &rows) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_attention_score_keys(99, KERNELS_F32, &rows) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_attention_score_keys(KERNELS_SCALAR, KERNELS_F32, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_attention_add_values(KERNELS_SCALAR, KERNELS_F32, nullptr) == KERNELS_INVALID_ARGUMENT);
    for (int32_t kernels_attention_rows::*field :
         {&kernels_attention_rows::stored_count, &kernels_attention_rows::query_count,
          &kernels_attention_rows::head_dimension, &kernels_attention_rows::stride}) {
        rows = p.describe();
        rows.*field = -1;
        CHECK(status() == KERNELS_INVALID_ARGUMENT);
    }
    rows = p.describe();
    rows.stored_count = tile + 1;
    CHECK(status() == KERNELS_INVALID_ARGUMENT);
    rows = p.describe();
    rows.queries = nullptr;
    CHECK(status() == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_attention_add_values(KERNELS_SCALAR, KERNELS_F32, &rows) == KERNELS_OK);
    rows.output = nullptr;
    CHECK(kernels_attention_add_values(KERNELS_SCALAR, KERNELS_F32, &rows) == KERNELS_INVALID_ARGUMENT);
}

} // namespace

int main(int count, char** arguments) {
    const std::string theory = count > 1 ? arguments[1] : "";
    if (theory == "rows") {
        rows_of_type<float>();
        rows_of_type<kernels::f16>();
        rows_of_type<kernels::bf16>();
        rows_of_type<int8>();
    } else if (theory == "special") {
        special_of_type<float>();
        special_of_type<kernels::f16>();
        special_of_type<kernels::bf16>();
    } else if (theory == "planes") {
        planes();
    } else if (theory == "nonsense") {
        nonsense();
    }
    return check::result();
}
