// The three products of a dense layer for a single row: matrix times vector, and an outer product.
//
// Why: with one row no weight is used twice, so the product can be no faster than the weights come
// from the cache that they are in. All that is left to do is to keep it that fast: sums stay in
// registers over the whole depth, nothing is packed or copied, and enough chains of multiply-adds
// run side by side to hide their latency.
//
// Contract: as in gemm.hpp. Every element is the sum of a few chains of multiply-adds; which ones,
// depends on the shape and the register's width alone, so a row by itself may differ in its last
// bits from the same row in a batch. Nothing is read outside of the matrices.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tail.hpp"

namespace likely::one_row {

/// Registers of columns at a time. The others hold an input and what the loads bring.
#if defined(__AVX512F__)
inline constexpr int widest = 16;
#else
inline constexpr int widest = 8;
#endif
/// Multiply-adds under way at once: two a cycle, each of four cycles.
inline constexpr int chains = 8;

template <class T>
[[gnu::always_inline]] inline Lanes<T> all(const T* number) {
    return Lanes<T>::from_packet(Eigen::internal::pload1<typename Lanes<T>::Packet>(number));
}

/// Adds neighbours until one is left.
template <int Count, class T>
[[gnu::always_inline]] inline Lanes<T> total(Lanes<T> (&sums)[Count]) {
#pragma GCC unroll 8
    for (int step = 1; step < Count; step *= 2) {
#pragma GCC unroll 8
        for (int c = 0; c + step < Count; c += 2 * step) sums[c] = sums[c] + sums[c + step];
    }
    return sums[0];
}

/// `Columns` registers of columns, in the last one `last`, which an Edge loads and stores.
template <int Columns, class Edge, class T>
[[gnu::noinline]] void columns(std::int64_t inputs, const T* x, const T* weight,
                               std::int64_t stride, const T* bias, T* z, std::int64_t last) {
    using V = Lanes<T>;
    constexpr int Chains = std::max(1, chains / Columns), whole = Columns - 1;
    const Edge edge(last);
    V sum[Columns][Chains];
#pragma GCC unroll 16
    for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 8
        for (int c = 0; c < Chains; ++c) sum[j][c] = V(0.0);
    }
    const T* row = weight;
    const auto add = [&](std::int64_t k, int c) __attribute__((always_inline)) {
        const V factor = all(x + k);
#pragma GCC unroll 16
        for (int j = 0; j < whole; ++j) sum[j][c] = sum[j][c] + factor * V::load(row + j * V::size);
        sum[whole][c] = sum[whole][c] + factor * edge.load(row + whole * V::size);
        row += stride;
    };
    std::int64_t k = 0;
    for (; k + Chains <= inputs; k += Chains) {
#pragma GCC unroll 8
        for (int c = 0; c < Chains; ++c) add(k + c, c);
    }
#pragma GCC unroll 8
    for (int c = 0; c + 1 < Chains; ++c) {
        if (k >= inputs) break;
        add(k++, c);
    }
#pragma GCC unroll 16
    for (int j = 0; j < whole; ++j) {
        const V result = total(sum[j]);
        const std::int64_t at = j * V::size;
        (bias ? V::load(bias + at) + result : result).store(z + at);
    }
    const V result = total(sum[whole]);
    const std::int64_t at = whole * V::size;
    edge.store(bias ? edge.load(bias + at) + result : result, z + at);
}

/// Lane i of the result is lane (First + i / Repeat) modulo the size.
template <int First, int Repeat, class T>
[[gnu::always_inline]] inline Lanes<T> lanes_of(Lanes<T> x) {
    return [&]<int... I>(std::integer_sequence<int, I...>) {
        constexpr int size = Lanes<T>::size;
        return Lanes<T>(__builtin_shufflevector(x.v, x.v, ((First + I / Repeat) % size)...));
    }(std::make_integer_sequence<int, Lanes<T>::size>{});
}

/// 1, 2 or 4 outputs: a register holds several rows of weights.
template <int Outputs, class T>
[[gnu::noinline]] void narrow(std::int64_t inputs, const T* x, const T* weight, const T* bias,
                              T* z) {
    using V = Lanes<T>;
    constexpr int size = V::size;
    constexpr int ahead = 4 / Outputs;  // registers of inputs
    V sum[4]{V(0.0), V(0.0), V(0.0), V(0.0)};
    const auto add = [&]<int N>(std::integral_constant<int, N>, const T* input, const T* w) {
        const V factors = V::load(input);
        [&]<int... M>(std::integer_sequence<int, M...>) {
            ((sum[N * Outputs + M] =
                  sum[N * Outputs + M] +
                  lanes_of<M * size / Outputs, Outputs>(factors) * V::load(w + M * size)),
             ...);
        }(std::make_integer_sequence<int, Outputs>{});
    };
    std::int64_t k = 0;
    for (; k + ahead * size <= inputs; k += ahead * size) {
        [&]<int... N>(std::integer_sequence<int, N...>) {
            (add(std::integral_constant<int, N>{}, x + k + N * size,
                 weight + (k + N * size) * Outputs),
             ...);
        }(std::make_integer_sequence<int, ahead>{});
    }
    const std::integral_constant<int, 0> first;
    for (; k + size <= inputs; k += size) add(first, x + k, weight + k * Outputs);
    if (k < inputs) {
        T rest[size]{}, weights[size * Outputs]{};
        std::copy_n(x + k, inputs - k, rest);
        std::copy_n(weight + k * Outputs, (inputs - k) * Outputs, weights);
        add(first, rest, weights);
    }
    V folded = total(sum);
    const auto fold = [&]<int Half>(auto self, std::integral_constant<int, Half>) {
        if constexpr (Half >= Outputs) {
            folded = folded + lanes_of<Half, 1>(folded);
            self(self, std::integral_constant<int, Half / 2>{});
        }
    };
    fold(fold, std::integral_constant<int, size / 2>{});
    for (int j = 0; j < Outputs; ++j) z[j] = (bias ? bias[j] : T(0)) + folded.v[j];
}

/// z = bias + x weight; `bias` null: none.
template <class T>
void forward(std::int64_t inputs, std::int64_t outputs, const T* x, const T* weight, const T* bias,
             T* z) {
    using V = Lanes<T>;
    if (outputs == 1) return narrow<1>(inputs, x, weight, bias, z);
    if constexpr (V::size >= 2) {
        if (outputs == 2) return narrow<2>(inputs, x, weight, bias, z);
    }
    if constexpr (V::size >= 4) {
        if (outputs == 4) return narrow<4>(inputs, x, weight, bias, z);
    }
    std::int64_t j = 0;
    const auto take = [&]<int Columns>(std::integral_constant<int, Columns>) {
        constexpr std::int64_t width = Columns * V::size;
        const T* const base = bias ? bias + j : nullptr;
        const std::int64_t last = std::min<std::int64_t>(V::size, outputs - j - width + V::size);
        (last == V::size
             ? columns<Columns, Whole<T>, T>
             : columns<Columns, Tail<T>, T>)(inputs, x, weight + j, outputs, base, z + j, last);
        j += width;
    };
    const auto registers = [&] { return (outputs - j + V::size - 1) / V::size; };
    while (registers() >= widest) take(std::integral_constant<int, widest>{});
    if constexpr (widest > 8) {
        if (registers() >= 8) take(std::integral_constant<int, 8>{});
    }
    if (registers() >= 4) take(std::integral_constant<int, 4>{});
    if (registers() >= 2) take(std::integral_constant<int, 2>{});
    if (j < outputs) take(std::integral_constant<int, 1>{});
}

/// Row i of d_weight (+)= x[i] d_z, and d_bias (+)= d_z unless it is null.
template <class T>
void weight_gradient(const T* x, const T* d_z, std::int64_t inputs, std::int64_t outputs,
                     bool accumulate, T* d_weight, T* d_bias) {
    const auto scaled = [&](T factor, T* target) {
        if (accumulate) {
            for (std::int64_t j = 0; j < outputs; ++j) target[j] += factor * d_z[j];
        } else {
            for (std::int64_t j = 0; j < outputs; ++j) target[j] = factor * d_z[j];
        }
    };
    for (std::int64_t i = 0; i < inputs; ++i) scaled(x[i], d_weight + i * outputs);
    if (d_bias) scaled(T(1), d_bias);
}

/// d_x[i] (+)= the product of d_z with row i of weight.
template <class T>
void input_gradient(const T* d_z, const T* weight, std::int64_t inputs, std::int64_t outputs,
                    bool accumulate, T* d_x) {
    using V = Lanes<T>;
    constexpr std::int64_t at_once = 8;
    const std::int64_t whole = outputs / V::size * V::size;
    const Tail<T> tail(std::max<std::int64_t>(outputs - whole, 1));
    const auto take = [&]<int Rows>(std::integral_constant<int, Rows>, std::int64_t i) {
        const T* const rows = weight + i * outputs;
        V sum[Rows];
        for (int r = 0; r < Rows; ++r) sum[r] = V(0.0);
        for (std::int64_t k = 0; k < whole; k += V::size) {
            const V factor = V::load(d_z + k);
            for (int r = 0; r < Rows; ++r)
                sum[r] = sum[r] + factor * V::load(rows + r * outputs + k);
        }
        if (whole < outputs) {
            const V factor = tail.load(d_z + whole);
            for (int r = 0; r < Rows; ++r)
                sum[r] = sum[r] + factor * tail.load(rows + r * outputs + whole);
        }
        for (int r = 0; r < Rows; ++r) {
            const T product = Eigen::internal::predux(sum[r].packet());
            d_x[i + r] = accumulate ? d_x[i + r] + product : product;
        }
    };
    std::int64_t i = 0;
    for (; i + at_once <= inputs; i += at_once) take(std::integral_constant<int, at_once>{}, i);
    for (; i < inputs; ++i) take(std::integral_constant<int, 1>{}, i);
}

}  // namespace likely::one_row
