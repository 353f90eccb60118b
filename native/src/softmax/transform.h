// Elementwise steps over contiguous elements. Include inside a target region.
#pragma once

namespace kernels::softmax {

// Contiguous elements in the compute type.
template <class V, class T> void widen_into(typename V::element* buffer, const T* from, int64_t count) {
    int64_t i = 0;
    for (; i + V::width <= count; i += V::width)
        V::store(buffer + i, V::load(from + i));
    if (i < count)
        V::store_first(buffer + i, V::load_first(from + i, count - i, 0), count - i);
}

template <class V> struct unchanged {
    auto operator()(typename V::vector v) const { return v; }
};

template <class V> struct scaled {
    typename V::vector factor;
    auto operator()(typename V::vector x) const { return V::multiply(x, factor); }
};

// Whether outputs go past the caches. They do when they are not read back from there: more of them than a last-level
// cache keeps of a stream, and not the lines that the logits have just been read from.
enum class write_policy { cached, streaming };

// to[i] = operation(from[i])
template <class V, class T, class Operation>
void transform(const typename V::element* from, T* to, int64_t count, const Operation& operation,
               write_policy policy = write_policy::cached) {
    constexpr int64_t w = V::width;
    int64_t i = 0;
    if constexpr (std::is_same_v<T, typename V::element> && w > 1) {
        if (policy == write_policy::streaming) {
            // Streaming stores need whole, aligned vectors.
            const uintptr_t misaligned = reinterpret_cast<uintptr_t>(to) % sizeof(typename V::vector);
            const int64_t head =
                misaligned == 0 ? 0 : int64_t(sizeof(typename V::vector) - misaligned) / int64_t(sizeof(T));
            if (head > 0 && head <= count) {
                V::store_first(to, operation(V::load_first(from, head, 0)), head);
                i = head;
            }
            if (head <= count)
                for (; i + w <= count; i += w)
                    V::stream(to + i, operation(V::load(from + i)));
        }
    }
    for (; i + w <= count; i += w)
        V::store(to + i, operation(V::load(from + i)));
    if (i < count)
        V::store_first(to + i, operation(V::load_first(from + i, count - i, 0)), count - i);
}

} // namespace kernels::softmax
