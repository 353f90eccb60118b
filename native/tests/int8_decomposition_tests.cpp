// Blocks of every length, batches around every tile, against a plain loop in 64 bits; extremes; bad arguments.
#include "check.h"
#include "integer_kernels.h"

#include <kernels/int8_decomposition.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using integer_kernels::fill, integer_kernels::on_every_isa;

namespace {

constexpr int columns = KERNELS_INT8_PANEL_COLUMNS, inputs_of_step = KERNELS_INT8_STEP_INPUTS;
constexpr int tile_rows = KERNELS_INT8_TILE_ROWS;

int bytes_of_activation(int32_t isa) {
    return isa == KERNELS_AVX2 ? sizeof(int16_t) : sizeof(int8_t);
}

int shift_of_activation(int32_t isa) {
    return isa == KERNELS_AVX_VNNI || isa == KERNELS_AVX512_VNNI ? 128 : 0;
}

// Vectors of their exact sizes: the sanitizer sees any access beyond.
struct problem {
    int rows, steps;
    std::vector<int8_t> weights, values; // [output][input], [row][input]
    std::vector<int32_t> sums;

    problem(int rows, int steps)
        : rows(rows), steps(steps), weights(columns * inputs()), values(rows * inputs()), sums(size_t(rows) * columns) {
    }

    size_t inputs() const { return size_t(steps) * inputs_of_step; }

    void randomise(uint32_t seed) {
        std::mt19937 random(seed);
        fill(weights, random, INT8_MIN, INT8_MAX);
        fill(values, random, INT8_MIN, INT8_MAX);
        fill(sums, random, -1000, 999);
    }

    std::vector<uint8_t> packed_weights() const {
        std::vector<uint8_t> packed(weights.size());
        for (int column = 0; column < columns; column++)
            for (size_t input = 0; input < inputs(); input++)
                packed[(input / inputs_of_step * columns + column) * inputs_of_step + input % inputs_of_step] =
                    uint8_t(weights[column * inputs() + input]);
        return packed;
    }

    // Tiles are padded to a line; what is beyond the last row of the last tile is not there.
    std::vector<uint8_t> packed_activations(int32_t isa, kernels_int8_block& block) const {
        const size_t bytes = bytes_of_activation(isa), row_bytes = bytes * inputs_of_step;
        block.step_bytes = int64_t(row_bytes) * std::min(rows, tile_rows);
        block.tile_bytes = (block.step_bytes * steps + 63) / 64 * 64;
        const auto start = [&](int row, size_t step) {
            return row / tile_rows * block.tile_bytes + step * block.step_bytes + row % tile_rows * row_bytes;
        };
        std::vector<uint8_t> packed(rows == 0 || steps == 0 ? 1 : start(rows - 1, steps - 1) + row_bytes);
        for (int row = 0; row < rows; row++)
            for (size_t input = 0; input < inputs(); input++) {
                const auto value = int16_t(values[row * inputs() + input] + shift_of_activation(isa));
                const size_t at = start(row, input / inputs_of_step) + input % inputs_of_step * bytes;
                if (bytes == sizeof value)
                    std::memcpy(&packed[at], &value, sizeof value);
                else
                    packed[at] = uint8_t(value);
            }
        return packed;
    }

    std::vector<int32_t> run(int32_t isa) const {
        std::vector<int32_t> result = sums;
        kernels_int8_block block{};
        const std::vector<uint8_t> lanes = packed_weights(), activations = packed_activations(isa, block);
        block.weights = lanes.data();
        block.activations = activations.data();
        block.row_count = rows;
        block.step_count = steps;
        CHECK(kernels_int8_add(isa, &block, result.data()) == KERNELS_OK);
        return result;
    }

    void check(int32_t isa) const {
        const std::vector<int32_t> actual = run(isa);
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) {
                int64_t dot = 0;
                for (size_t input = 0; input < inputs(); input++)
                    dot += int64_t{weights[column * inputs() + input]} *
                           (values[row * inputs() + input] + shift_of_activation(isa));
                const size_t i = size_t(row) * columns + column;
                CHECK(uint32_t(actual[i]) == uint32_t(sums[i] + dot));
            }
    }
};

void shapes() {
    for (const int steps : {1, 2, 3, 17, 128})
        for (int rows = 1; rows <= 26; rows++) {
            problem some(rows, steps);
            some.randomise(uint32_t(steps * 100 + rows));
            on_every_isa([&](int32_t isa) { some.check(isa); });
        }
}

// All combinations of extremes, alone and in pairs: nothing may saturate.
void extremes() {
    for (const int value : {-128, -127, 127})
        for (const int weight : {-128, -127, 127})
            for (const int other : {-128, -127, 127}) {
                problem some(13, 16);
                std::fill(some.values.begin(), some.values.end(), int8_t(value));
                for (size_t i = 0; i < some.weights.size(); i++)
                    some.weights[i] = int8_t(i % 2 == 0 ? weight : other);
                on_every_isa([&](int32_t isa) { some.check(isa); });
            }
}

// Sums start anywhere: they wrap, they do not overflow.
void wrapping() {
    problem some(7, 3);
    some.randomise(5);
    for (size_t i = 0; i < some.sums.size(); i++)
        some.sums[i] = i % 2 == 0 ? INT32_MAX : INT32_MIN;
    on_every_isa([&](int32_t isa) { some.check(isa); });
}

void nonsense() {
    problem some(3, 2);
    some.randomise(1);
    const std::vector<int32_t> before = some.sums;
    kernels_int8_block good{};
    const std::vector<uint8_t> lanes = some.packed_weights();
    const std::vector<uint8_t> activations = some.packed_activations(KERNELS_SCALAR, good);
    good.weights = lanes.data();
    good.activations = activations.data();
    good.row_count = some.rows;
    good.step_count = some.steps;
    const auto broken = [&](auto&& change) {
        kernels_int8_block block = good;
        change(block);
        return kernels_int8_add(KERNELS_SCALAR, &block, some.sums.data());
    };
    CHECK(kernels_int8_add(KERNELS_SCALAR, nullptr, some.sums.data()) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_int8_add(KERNELS_SCALAR, &good, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_int8_add(KERNELS_AVX512, &good, some.sums.data()) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_int8_add(-1, &good, some.sums.data()) == KERNELS_UNSUPPORTED_ISA);
    CHECK(broken([](auto& b) { b.weights = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.activations = nullptr; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.step_bytes = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.tile_bytes = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.row_count = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.step_count = -1; }) == KERNELS_INVALID_ARGUMENT);
    CHECK(broken([](auto& b) { b.row_count = 0; }) == KERNELS_OK);
    CHECK(broken([](auto& b) { b.step_count = 0; }) == KERNELS_OK);
    CHECK(some.sums == before);
}

} // namespace

int main(int argc, char** argv) {
    const std::string theory = argc == 2 ? argv[1] : "";
    if (theory == "shapes")
        shapes();
    else if (theory == "extremes")
        extremes();
    else if (theory == "wrapping")
        wrapping();
    else if (theory == "nonsense")
        nonsense();
    return check::result();
}
