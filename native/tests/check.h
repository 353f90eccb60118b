// A check that says what it found and goes on; the process fails in the end.
#pragma once

#include <cstdio>

namespace check {

inline int failures = 0, checks = 0;

inline void that(bool holds, const char* what, const char* file, int line) {
    checks++;
    if (holds)
        return;
    constexpr int shown = 20;
    if (++failures <= shown)
        std::printf("%s:%d: %s\n", file, line, what);
}

inline void close(long double actual, long double expected, long double bound, const char* file, int line) {
    // Written so that a NaN on one side only fails.
    const bool same = actual == expected || (actual != actual && expected != expected);
    const long double error = actual < expected ? expected - actual : actual - expected;
    char text[200];
    std::snprintf(text, sizeof text, "%.12Lg is not %.12Lg within %.3Lg", actual, expected, bound);
    that(same || error <= bound, text, file, line);
}

// The exit status of a test. A run that checked nothing fails.
inline int result() {
    std::printf("%d checks, %d failures\n", checks, failures);
    return failures == 0 && checks > 0 ? 0 : 1;
}

} // namespace check

#define CHECK_CLOSE(actual, expected, bound) check::close((actual), (expected), (bound), __FILE__, __LINE__)
#define CHECK(condition) check::that((condition), #condition, __FILE__, __LINE__)
