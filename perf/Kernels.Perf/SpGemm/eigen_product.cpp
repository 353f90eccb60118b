// Eigen's product of row-major sparse matrices, f64, for Kernels.Perf: compiled when first asked for.
#include <Eigen/SparseCore>

using Matrix = Eigen::SparseMatrix<double, Eigen::RowMajor, int>;

struct Product {
    Matrix left, right, result;
};

static Matrix copy(int rows, int columns, int count, const int* pointers, const int* indices, const double* values) {
    return Eigen::Map<const Matrix>(rows, columns, count, pointers, indices, values);
}

extern "C" Product* eigen_open(int rows, int inner, int columns, int left_count, const int* left_pointers, const int* left_indices, const double* left_values,
    int right_count, const int* right_pointers, const int* right_indices, const double* right_values) {
    return new Product{copy(rows, inner, left_count, left_pointers, left_indices, left_values),
        copy(inner, columns, right_count, right_pointers, right_indices, right_values), Matrix(rows, columns)};
}

extern "C" void eigen_multiply(Product* product) {
    product->result = Matrix();
    product->result = product->left * product->right;
}

extern "C" int eigen_result(Product* product, const int** pointers, const int** indices, const double** values) {
    product->result.makeCompressed();
    *pointers = product->result.outerIndexPtr();
    *indices = product->result.innerIndexPtr();
    *values = product->result.valuePtr();
    return static_cast<int>(product->result.nonZeros());
}

extern "C" void eigen_close(Product* product) { delete product; }
