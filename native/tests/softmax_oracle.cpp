#include "softmax_oracle.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace oracle {

namespace {

constexpr long double infinity = std::numeric_limits<long double>::infinity();
constexpr long double nan = std::numeric_limits<long double>::quiet_NaN();

bool has_nan(const row& x) {
    return std::any_of(x.begin(), x.end(), [](long double v) { return std::isnan(v); });
}

long double greatest(const row& x) {
    return x.empty() ? -infinity : *std::max_element(x.begin(), x.end());
}

// True if the row has no proper sum; then `result` is what every position becomes.
bool is_special(const row& x, bool safe, long double masked, row& result) {
    const bool undefined = has_nan(x) || greatest(x) == infinity;
    if (!undefined && greatest(x) != -infinity)
        return false;
    result.assign(x.size(), undefined || !safe ? nan : masked);
    return true;
}

// log sum exp(x) - maximum
long double log_excess(const row& x, long double maximum) {
    long double sum = 0;
    for (long double v : x)
        sum += std::exp(v - maximum);
    return std::log(sum);
}

} // namespace

long double log_sum_exp(const row& x) {
    const long double maximum = greatest(x);
    if (has_nan(x))
        return nan;
    if (std::isinf(maximum))
        return maximum;
    return maximum + log_excess(x, maximum);
}

row probabilities(const row& x, bool safe) {
    row result;
    if (is_special(x, safe, 0, result))
        return result;
    const long double maximum = greatest(x);
    long double sum = 0;
    for (long double v : x)
        sum += result.emplace_back(std::exp(v - maximum));
    for (long double& v : result)
        v /= sum;
    return result;
}

row log_probabilities(const row& x, bool safe) {
    row result;
    if (is_special(x, safe, -infinity, result))
        return result;
    const long double maximum = greatest(x), excess = log_excess(x, maximum);
    for (long double v : x)
        result.push_back((v - maximum) - excess);
    return result;
}

row gradient(const row& g, const row& result, bool is_log) {
    long double sum = 0;
    for (size_t i = 0; i < g.size(); i++)
        sum += is_log ? g[i] : g[i] * result[i];
    row out;
    for (size_t i = 0; i < g.size(); i++)
        out.push_back(is_log ? g[i] - std::exp(result[i]) * sum : (g[i] - sum) * result[i]);
    return out;
}

std::vector<int32_t> top_k(const row& x, int32_t count) {
    std::vector<int32_t> order(x.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return x[a] > x[b]; });
    order.resize(count);
    return order;
}

} // namespace oracle
