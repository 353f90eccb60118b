// The handshake and the validation at the C ABI: nonsense gets a status, never a crash, and writes nothing.
#include "check.h"

#include <kernels/softmax.h>

#include <cmath>
#include <cstring>

namespace {

kernels_softmax_rows rows_of(const float* input, float* output, int32_t length) {
    kernels_softmax_rows rows = {};
    rows.input = input;
    rows.output = output;
    rows.outer_count = rows.inner_count = rows.causal_query_count = 1;
    rows.row_length = length;
    rows.input_row_stride = rows.output_row_stride = length;
    rows.scale = 1;
    return rows;
}

int32_t compute(const kernels_softmax_rows& rows) {
    return kernels_softmax_compute(KERNELS_SCALAR, KERNELS_F32, &rows, 0, 1);
}

void library() {
    CHECK(kernels_abi_version() == KERNELS_ABI_VERSION);
    CHECK(kernels_cpu_supports(KERNELS_SCALAR) == KERNELS_OK);
    CHECK(kernels_cpu_supports(-1) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_cpu_supports(KERNELS_AVX512_VNNI + 1) == KERNELS_UNSUPPORTED_ISA);
    for (int32_t status = KERNELS_OK; status <= KERNELS_UNSUPPORTED_ISA + 1; status++)
        CHECK(std::strlen(kernels_status_message(status)) > 0);
}

void nonsense() {
    const float x[3] = {1, 2, 3};
    float y[3] = {-1, -1, -1};
    const kernels_softmax_rows good = rows_of(x, y, 3);
    CHECK(kernels_softmax_compute(KERNELS_SCALAR, KERNELS_F32, nullptr, 0, 1) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_compute(KERNELS_SCALAR, 4, &good, 0, 1) == KERNELS_UNSUPPORTED_TYPE);
    // Neither of these has softmax kernels, whatever the processor has.
    CHECK(kernels_softmax_compute(KERNELS_AVX_VNNI, KERNELS_F32, &good, 0, 1) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_softmax_compute(KERNELS_AVX512_VNNI, KERNELS_F32, &good, 0, 1) == KERNELS_UNSUPPORTED_ISA);
    CHECK(kernels_softmax_compute(KERNELS_SCALAR, KERNELS_F32, &good, 0, 2) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_compute(KERNELS_SCALAR, KERNELS_F32, &good, -1, 1) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_compute(KERNELS_SCALAR, KERNELS_F32, &good, 1, 0) == KERNELS_INVALID_ARGUMENT);
    const auto broken = [&](auto&& change) {
        kernels_softmax_rows rows = good;
        change(rows);
        return compute(rows) == KERNELS_INVALID_ARGUMENT;
    };
    CHECK(broken([](auto& r) { r.input = nullptr; }));
    CHECK(broken([](auto& r) { r.output = nullptr; }));
    CHECK(broken([](auto& r) { r.row_length = -1; }));
    CHECK(broken([](auto& r) { r.outer_count = -1; }));
    CHECK(broken([](auto& r) { r.inner_count = 0; }));
    CHECK(broken([](auto& r) { r.operation = 3; }));
    CHECK(broken([](auto& r) { r.scale = NAN; }));
    CHECK(broken([](auto& r) { r.soft_cap = INFINITY; }));
    CHECK(broken([](auto& r) { r.causal_query_count = 0; }));
    CHECK(broken([](auto& r) { r.input_row_stride = -1; }));
    CHECK(broken([](auto& r) {
        r.inner_count = 2;
        r.causal = 1;
    }));
    CHECK(y[0] == -1 && y[1] == -1 && y[2] == -1);
    CHECK(compute(good) == KERNELS_OK);
    CHECK(std::fabs(y[0] + y[1] + y[2] - 1) < 1e-6f);
}

void parts() {
    const float x[3] = {1, 2, 3};
    float y[3];
    const kernels_softmax_rows rows = rows_of(x, y, 3);
    kernels_softmax_sum sum = {};
    CHECK(kernels_softmax_partial_sum(0, 0, &rows, 0, 0, 3, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_partial_sum(0, 0, &rows, 1, 0, 3, &sum) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_partial_sum(0, 0, &rows, 0, 0, 4, &sum) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_normalize(0, 0, &rows, 0, 0, 3, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_normalize(0, 0, &rows, 0, 2, 1, &sum) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_combine(nullptr, 1, &sum) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_combine(nullptr, 0, nullptr) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_combine(nullptr, 0, &sum) == KERNELS_OK);
    CHECK(sum.mantissa == 0 && sum.maximum == -INFINITY);
    kernels_softmax_rows columns = rows;
    columns.inner_count = 3;
    columns.row_length = 1;
    CHECK(kernels_softmax_partial_sum(0, 0, &columns, 0, 0, 1, &sum) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_normalize(0, 0, &columns, 0, 0, 1, &sum) == KERNELS_INVALID_ARGUMENT);
    const int64_t heights[] = {0, 1, 1000, INT32_MAX};
    for (const int64_t length : heights) {
        CHECK(kernels_softmax_tile_length(KERNELS_F32, length) >= 16);
        CHECK(kernels_softmax_tile_length(KERNELS_F64, length) <= kernels_softmax_tile_length(KERNELS_F16, length));
    }
    CHECK(kernels_softmax_tile_length(4, 1) == 0);
    const int64_t lengths[] = {0, 1, 65536, 10'000'000, INT32_MAX};
    for (const int64_t length : lengths) {
        const int64_t chunk = kernels_softmax_chunk_length(length);
        CHECK(chunk > 0 && (length + chunk - 1) / chunk <= KERNELS_SOFTMAX_CHUNK_LIMIT);
    }
}

void others() {
    const float x[3] = {1, 2, 3};
    float values[4];
    int32_t indices[4];
    const kernels_softmax_rows rows = rows_of(x, nullptr, 3);
    CHECK(kernels_softmax_top_k(0, 0, &rows, 0, 1, values, indices, 4) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_top_k(0, 0, &rows, 0, 1, nullptr, indices, 2) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_top_k(0, 0, &rows, 0, 1, values, nullptr, 2) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_top_k(0, 0, &rows, 0, 1, values, indices, -1) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_top_k(0, 0, &rows, 0, 1, nullptr, nullptr, 0) == KERNELS_OK);
    kernels_softmax_gradient_rows gradient = {x, x, nullptr, values, 1, 0, 1, 3, 0, 0};
    CHECK(kernels_softmax_backward(0, 0, &gradient, 0, 1) == KERNELS_OK);
    CHECK(kernels_softmax_backward(0, 0, &gradient, 0, 2) == KERNELS_INVALID_ARGUMENT);
    gradient.soft_cap = 1; // needs logits
    CHECK(kernels_softmax_backward(0, 0, &gradient, 0, 1) == KERNELS_INVALID_ARGUMENT);
    gradient = {nullptr, x, nullptr, values, 1, 0, 1, 3, 0, 0};
    CHECK(kernels_softmax_backward(0, 0, &gradient, 0, 1) == KERNELS_INVALID_ARGUMENT);
    CHECK(kernels_softmax_backward(0, 0, nullptr, 0, 1) == KERNELS_INVALID_ARGUMENT);
}

} // namespace

int main() {
    library();
    nonsense();
    parts();
    others();
    return check::result();
}
