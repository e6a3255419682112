// What the steps of a network share: where their matrices stand, and loops over whole registers.
#pragma once

#include <cstdint>

#include "lanes.hpp"
#include "table.hpp"

namespace likely::kernels_detail {

/// value[i] = function(lanes of each array) over `count` numbers, whole registers first, then the
/// rest.
template <class T, class Function, class... Source>
void transform(std::int64_t count, T* target, Function function, const Source*... source) {
    constexpr std::int64_t width = Lanes<T>::size;
    std::int64_t i = 0;
    for (; i + width <= count; i += width)
        function(Lanes<T>::load(source + i)...).store(target + i);
    if (i < count) {
        function(Lanes<T>::load_partial(source + i, count - i, T(0))...)
            .store_partial(target + i, count - i);
    }
}

/// `count` lanes from `source` on, all of them, or the first few and `fill`.
template <class T>
Lanes<T> load_lanes(const T* source, std::int64_t count, T fill = T(0)) {
    return count == Lanes<T>::size ? Lanes<T>::load(source)
                                   : Lanes<T>::load_partial(source, count, fill);
}

/// function(j, count) for the columns of a row, whole registers first.
template <class T, class Function>
void for_lanes(std::int64_t width, Function function) {
    std::int64_t j = 0;
    for (; j + Lanes<T>::size <= width; j += Lanes<T>::size) function(j, Lanes<T>::size);
    if (j < width) function(j, width - j);
}

template <class T>
void store_lanes(Lanes<T> lanes, T* target, std::int64_t count) {
    if (count == Lanes<T>::size) {
        lanes.store(target);
    } else {
        lanes.store_partial(target, count);
    }
}

/// Where the matrices of a plan stand in a workspace of this capacity.
template <class T>
struct Matrices {
    const T* x;
    T* workspace;
    std::int64_t capacity;

    T* at(std::int64_t offset) const { return workspace + offset * capacity; }
    const T* source(std::int64_t offset) const { return offset == input_matrix ? x : at(offset); }
};

/// What a step's backward pass writes its gradient to.
template <class T>
struct GradientTarget {
    T* gradient;
    bool accumulate;  ///< earlier rows of the batch have already written theirs
};

}  // namespace likely::kernels_detail
