// Runs of segments of every length and format, batches around every tile, against a plain double loop; extremes; bad
// arguments.
#include "check.h"
#include "integer_kernels.h"

#include <kernels/mixed_precision_gemm.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../src/elements.h"

using integer_kernels::fill, integer_kernels::on_every_isa;

namespace {

constexpr int columns = KERNELS_GEMM_PANEL_COLUMNS, step_inputs = KERNELS_GEMM_STEP_INPUTS, lane_inputs = 4;

enum class grouping { each_its_own, all_in_one };

// A run of segments and the rows that meet it, in vectors of their exact sizes: the sanitizer sees any access beyond.
struct problem {
    int bits, steps, rows, segments;
    grouping groups;
    std::vector<uint8_t> weights, zeros;
    std::vector<uint16_t> half_scales;
    std::vector<float> scales, row_scales, row_sums, sums;
    std::vector<int8_t> values;
    int32_t scale_type = KERNELS_F32;

    problem(int bits, int steps, int rows, int segments = 1, grouping groups = grouping::each_its_own)
        : bits(bits), steps(steps), rows(rows), segments(segments), groups(groups),
          weights(size_t(segments) * steps * columns * lane_inputs * (bits == 8 ? 2 : 1)),
          scales(size_t(group_count()) * columns), row_scales(size_t(segments) * rows), row_sums(row_scales.size()),
          sums(size_t(rows) * columns), values(inputs() * rows * segments) {}

    // Of a segment.
    size_t inputs() const { return size_t(steps) * step_inputs; }

    int group_count() const { return groups == grouping::each_its_own ? segments : 1; }

    int group_stride() const { return groups == grouping::each_its_own ? columns : 0; }

    int weight(int segment, size_t input, int column) const {
        const size_t step = size_t(segment) * steps + input / step_inputs, in_step = input % step_inputs;
        const size_t half = in_step / lane_inputs, lane = column * lane_inputs + in_step % lane_inputs;
        if (bits == 8)
            return weights[(step * 2 + half) * columns * lane_inputs + lane];
        return weights[step * columns * lane_inputs + lane] >> (half * 4) & 15;
    }

    int value(int segment, int row, size_t input) const {
        return values[(size_t(segment) * rows + row) * inputs() + input];
    }

    void fill_sums() {
        for (size_t i = 0; i < row_sums.size(); i++) {
            row_sums[i] = 0;
            for (size_t input = 0; input < inputs(); input++)
                row_sums[i] += values[i * inputs() + input];
        }
    }

    void randomise(uint32_t seed) {
        std::mt19937 random(seed);
        fill(weights, random, 0, UINT8_MAX);
        fill(values, random, -127, 127);
        fill(scales, random, 0, 999);
        fill(row_scales, random, 0, 999);
        fill(sums, random, -500, 499);
        for (auto& scale : scales)
            scale /= 4096;
        for (auto& scale : row_scales)
            scale /= 512;
        fill_sums();
    }

    void use_half_scales(int32_t type) {
        scale_type = type;
        half_scales.resize(scales.size());
        for (size_t c = 0; c < scales.size(); c++) {
            kernels::f16 half;
            kernels::bf16 brain;
            kernels::narrow(scales[c], half);
            kernels::narrow(scales[c], brain);
            half_scales[c] = type == KERNELS_F16 ? half.bits : brain.bits;
            scales[c] = type == KERNELS_F16 ? kernels::widen(half) : kernels::widen(brain);
        }
    }

    kernels_gemm_segments run_of_segments() const {
        const void* given = scale_type == KERNELS_F32 ? static_cast<const void*>(scales.data()) : half_scales.data();
        return {weights.data(), given,           zeros.empty() ? nullptr : zeros.data(),
                scale_type,     1 << (bits - 1), steps,
                bits,           segments,        group_stride()};
    }

    kernels_gemm_activations activations() const { return {values.data(), row_scales.data(), row_sums.data(), rows}; }

    // The same with its first rows alone.
    problem first_rows(int count) const {
        problem fewer = *this;
        fewer.rows = count;
        fewer.sums.resize(size_t(count) * columns);
        fewer.values.clear();
        fewer.row_scales.clear();
        for (int segment = 0; segment < segments; segment++) {
            const auto row = values.begin() + size_t(segment) * rows * inputs();
            fewer.values.insert(fewer.values.end(), row, row + count * inputs());
            const auto scale = row_scales.begin() + size_t(segment) * rows;
            fewer.row_scales.insert(fewer.row_scales.end(), scale, scale + count);
        }
        fewer.row_sums.resize(fewer.row_scales.size());
        fewer.fill_sums();
        return fewer;
    }

    std::vector<float> run(int32_t isa) const {
        std::vector<float> result = sums;
        const kernels_gemm_segments weight_segments = run_of_segments();
        const kernels_gemm_activations rows_of_it = activations();
        CHECK(kernels_gemm_add_int8(isa, &weight_segments, &rows_of_it, result.data()) == KERNELS_OK);
        return result;
    }

    // The sum, and by how much it may be off: for each segment a product and a fused multiply-add, each within half a
    // unit in the last place of what it rounds.
    struct bounded {
        double value, bound;
    };

    bounded expected(int row, int column) const {
        bounded sum{sums[size_t(row) * columns + column], 1e-30};
        for (int segment = 0; segment < segments; segment++) {
            const size_t at = size_t(segment) * group_stride() + column;
            const int zero = zeros.empty() ? 1 << (bits - 1) : zeros[at];
            double dot = 0;
            for (size_t input = 0; input < inputs(); input++)
                dot += double(value(segment, row, input)) * (weight(segment, input, column) - zero);
            const double before = sum.value;
            sum.value += double(scales[at]) * (double(row_scales[size_t(segment) * rows + row]) * dot);
            sum.bound += 0x1p-23 * (std::fabs(before) + std::fabs(sum.value));
        }
        return sum;
    }

    void check(int32_t isa) const {
        const std::vector<float> actual = run(isa);
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) {
                const bounded wanted = expected(row, column);
                CHECK_CLOSE(actual[size_t(row) * columns + column], wanted.value, wanted.bound);
            }
    }
};

void shapes() {
    for (const int bits : {4, 8})
        for (const int steps : {1, 2, 3, 4, 5, 8, 15, 16})
            for (const int rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17}) {
                problem some(bits, steps, rows);
                some.randomise(uint32_t(steps * 100 + rows));
                on_every_isa([&](int32_t isa) { some.check(isa); });
            }
}

// More segments than a block of them has, of one group and of many.
void runs() {
    for (const int bits : {4, 8})
        for (const int segments : {2, 3, 5, 9})
            for (const int steps : {4, 16})
                for (const int rows : {1, 5, 6, 13})
                    for (const grouping groups : {grouping::each_its_own, grouping::all_in_one}) {
                        problem some(bits, steps, rows, segments, groups);
                        some.randomise(uint32_t(segments * 100 + rows));
                        for (int i = 0; segments == 3 && i < some.group_count() * columns; i++)
                            some.zeros.push_back(uint8_t(i % (1 << bits)));
                        on_every_isa([&](int32_t isa) { some.check(isa); });
                    }
}

void formats() {
    for (const int bits : {4, 8})
        for (const int32_t type : {KERNELS_F32, KERNELS_F16, KERNELS_BF16})
            for (const bool has_zeros : {false, true})
                for (const int rows : {1, 7}) {
                    problem some(bits, 16, rows);
                    some.randomise(uint32_t(type));
                    if (type != KERNELS_F32)
                        some.use_half_scales(type);
                    for (int c = 0; has_zeros && c < columns; c++)
                        some.zeros.push_back(uint8_t(c % (1 << bits)));
                    on_every_isa([&](int32_t isa) { some.check(isa); });
                }
}

// The largest sums there are: nothing may saturate.
void extremes() {
    for (const int bits : {4, 8})
        for (const int weight : {0, 255})
            for (const int first : {-127, 127})
                for (const int second : {-127, 127}) {
                    problem some(bits, 16, 6);
                    some.weights.assign(some.weights.size(), uint8_t(weight));
                    some.scales.assign(columns, 1);
                    some.row_scales.assign(6, 1);
                    for (size_t i = 0; i < some.values.size(); i++)
                        some.values[i] = int8_t(i % 2 == 0 ? first : second);
                    some.fill_sums();
                    on_every_isa([&](int32_t isa) { some.check(isa); });
                }
}

// Every instruction set gives the same bits, and so does every batch that a row stands in.
void same_bits() {
    for (const int bits : {4, 8}) {
        problem all(bits, 16, 19, 3);
        all.randomise(7);
        const std::vector<float> reference = all.run(KERNELS_SCALAR);
        on_every_isa([&](int32_t isa) {
            CHECK(all.run(isa) == reference);
            for (int rows = 1; rows < all.rows; rows++) {
                const std::vector<float> actual = all.first_rows(rows).run(isa);
                CHECK(std::memcmp(actual.data(), reference.data(), actual.size() * sizeof(float)) == 0);
            }
        });
    }
}

void nonsense() {
    problem some(4, 2, 3);
    some.randomise(1);
    const std::vector<float> before = some.sums;
    const kernels_gemm_segments good = some.run_of_segments();
    const kernels_gemm_activations rows = some.activations();
    const auto call = [&](const kernels_gemm_segments* segments, const kernels_gemm_activations* activations) {
        return kernels_gemm_add_int8(KERNELS_SCALAR, segments, activations, some.sums.data());
    };
    const auto broken = [&](auto&& change) {
        kernels_gemm_segments segments = good;
        kernels_gemm_activations activations = rows;
        change(segments, activations);
        return call(&segments, &activations);
    };
    CHECK(call(nullptr, &rows) == KERNELS_INVALID_ARGUMENT);
    CHECK(call(&good, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_gemm_add_int8(KERNELS_SCALAR, &good, &rows, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_gemm_add_int8(KERNELS_AVX512, &good, &rows, some.sums.data()) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_gemm_add_int8(-1, &good, &rows, some.sums.data()) == KERNELS_UNSUPPORTED_ISA);
    CHECK(broken([](auto& s, auto&) { s.weights = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.scales = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.step_count = 0; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.step_count = 17; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.bits = 5; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.symmetric_zero = 256; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.segment_count = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.segment_count = 0; }) == KERNELS_OK);
    CHECK(broken([](auto& s, auto&) { s.group_stride = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& s, auto&) { s.scale_type = KERNELS_F64; }) == KERNELS_UNSUPPORTED_TYPE);
    CHECK(broken([](auto&, auto& a) { a.values = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto&, auto& a) { a.scales = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto&, auto& a) { a.sums = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto&, auto& a) { a.row_count = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto&, auto& a) { a.row_count = 0; }) == KERNELS_OK);
    CHECK(some.sums == before);
}

} // namespace

int main(int argc, char** argv) {
    const std::string theory = argc == 2 ? argv[1] : "";
    if (theory == "shapes")
        shapes();
    else if (theory == "runs")
        runs();
    else if (theory == "formats")
        formats();
    else if (theory == "extremes")
        extremes();
    else if (theory == "same_bits")
        same_bits();
    else if (theory == "nonsense")
        nonsense();
    return check::result();
}
