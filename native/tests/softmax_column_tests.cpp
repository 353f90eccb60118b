// softmax_column_tests <theory> <type>: softmax along another axis than the last.
#include "softmax_theories.h"

namespace {

template <class T> class column_theories : theories_on<T> {
    using theories_on<T>::run, theories_on<T>::isa_;

  public:
    using theories_on<T>::theories_on;

    static constexpr std::pair<const char*, void (column_theories::*)() const> all[] = {
        {"columns", &column_theories::columns},
        {"special", &column_theories::special},
        {"options", &column_theories::options},
        {"ranges", &column_theories::ranges},
    };

    // Another axis than the last: tails of tiles and of bands, and more than one tile.
    void columns() const {
        for (int inner : {2, 15, 16, 17, 40, 300})
            for (int n : {0, 1, 5, 64, 255})
                check_columns(random_logits<T>(2 * n * inner, -8, 8, unsigned(n)), n, inner, false);
        // Narrow tiles, in which the references of columns lie far apart.
        auto tall = random_logits<T>(2 * 4001 * 40, -8, 8, 41);
        for (size_t i = 0; i < tall.size(); i++)
            tall[i] = make<T>(double(read(tall[i])) + int(i % 40) * 200 - 4000);
        check_columns(tall, 4001, 40, false);
    }

    // Each column has its own special values, and their neighbours do not notice.
    void special() const {
        const int n = 9, inner = 33;
        auto x = random_logits<T>(2 * n * inner, -8, 8, 51);
        const auto set = [&](int position, int column, double value) {
            x[position * inner + column] = make<T>(value);
            x[(n + position) * inner + inner - 1 - column] = make<T>(value);
        };
        for (int i = 0; i < n; i++)
            for (int column : {3, 4})
                set(i, column, -infinity);
        set(2, 4, nan_value);
        set(0, 6, nan_value);
        set(8, 7, infinity);
        set(1, 8, infinity);
        set(3, 8, nan_value);
        set(4, 9, -infinity);
        set(5, 10, 60000);
        for (bool safe : {false, true})
            check_columns(x, n, inner, safe);
    }

    // Tiles done one by one, columns done one by one, and all of them in place, give the bits of all at once.
    void ranges() const {
        const int n = 70, inner = 520, columns = 2 * inner;
        const auto x = random_logits<T>(n * columns, -8, 8, 61);
        std::vector<T> whole(x.size()), in_place = x;
        auto p = column_problem(x, whole, n, inner);
        run(p);
        const int64_t tile = kernels_softmax_tile_length(element<T>::type, n);
        for (int64_t step : {tile, int64_t(1)}) {
            std::vector<T> parts(x.size());
            p.output = parts.data();
            for (int64_t begin = 0; begin < columns; begin += step)
                CHECK(kernels_softmax_compute(isa_, element<T>::type, &p, begin,
                                              std::min<int64_t>(begin + step, columns)) == KERNELS_OK);
            CHECK(std::memcmp(whole.data(), parts.data(), x.size() * sizeof(T)) == 0);
        }
        run(column_problem(in_place, in_place, n, inner));
        CHECK(std::memcmp(whole.data(), in_place.data(), x.size() * sizeof(T)) == 0);
    }

    // Scale, cap and masks along another axis: the same as along the last one of the transposed array.
    void options() const {
        const int n = 21, inner = 35;
        const auto x = random_logits<T>(n * inner, -4, 4, 71), mask = random_logits<T>(n * inner, -2, 2, 72);
        std::vector<T> across(x.size()), along(x.size()), turned_x = turned(x, n, inner),
                                                          turned_mask = turned(mask, n, inner);
        std::vector<uint8_t> allowed;
        for (size_t i = 0; i < x.size(); i++)
            allowed.push_back(i % 5 != 3);
        const auto turned_allowed = turned(allowed, n, inner);
        auto p = column_problem(x, across, n, inner);
        problem<T> q(turned_x.data(), along.data(), inner, n);
        p.outer_count = 1;
        p.mask = mask.data();
        q.mask = turned_mask.data();
        q.mask_row_stride = q.boolean_mask_row_stride = n;
        p.boolean_mask = allowed.data();
        q.boolean_mask = turned_allowed.data();
        p.scale = q.scale = 0.7;
        p.soft_cap = q.soft_cap = 3;
        run(p);
        run(q);
        const auto expected = turned(along, inner, n);
        for (size_t i = 0; i < x.size(); i++)
            check_close(across[i], read(expected[i]), 2 * std::fabs(read(expected[i])));
    }

  private:
    // Two slabs of columns.
    static problem<T> column_problem(const std::vector<T>& x, std::vector<T>& y, int n, int inner) {
        problem<T> p(x.data(), y.data(), 2, n);
        p.inner_count = inner;
        p.input_row_stride = p.output_row_stride = int64_t(n) * inner;
        return p;
    }

    static std::vector<T> half(const std::vector<T>& x, int index) {
        const auto begin = x.begin() + index * (x.size() / 2);
        return {begin, begin + x.size() / 2};
    }

    // The transpose of a matrix.
    template <class E> static std::vector<E> turned(const std::vector<E>& x, int rows, int columns) {
        std::vector<E> result;
        for (int column = 0; column < columns; column++)
            for (int row = 0; row < rows; row++)
                result.push_back(x[row * columns + column]);
        return result;
    }

    // Two slabs, every operation, column by column.
    void check_columns(const std::vector<T>& x, int n, int inner, bool safe) const {
        for (int32_t operation = 0; operation <= KERNELS_SOFTMAX_LOG_SUM_EXP; operation++) {
            const bool reduces = operation == KERNELS_SOFTMAX_LOG_SUM_EXP;
            std::vector<T> y(reduces ? 2 * inner : x.size());
            auto p = column_problem(x, y, n, inner);
            p.operation = operation;
            p.safe = safe;
            run(p);
            for (int slab = 0; slab < 2; slab++) {
                const std::vector<T> columns = turned(half(x, slab), n, inner);
                const std::vector<T> results = reduces ? std::vector<T>() : turned(half(y, slab), n, inner);
                for (int column = 0; column < inner; column++) {
                    const auto z =
                        widened(std::vector<T>(columns.begin() + column * n, columns.begin() + (column + 1) * n));
                    if (reduces)
                        check_close(y[slab * inner + column], oracle::log_sum_exp(z), 1);
                    else
                        check_row(results.data() + column * n, expected(z, operation, safe), operation == 1);
                }
            }
        }
    }
};

} // namespace

int main(int argc, char** argv) {
    return run_theories<column_theories>(argc, argv);
}
