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
