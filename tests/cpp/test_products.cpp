// The three products of a dense layer against plain loops in double precision; the same bits
// however rows or inputs are cut; an epilogue that sees every number of the result once, when it is
// there.
//
// Built with the flags of the kernel set. Matrices are exactly as large as they have to be, so that
// a sanitizer sees what is read beyond them; what is written beyond a result is seen here.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/gemm.hpp"

using namespace likely;

namespace {

using Index = std::int64_t;

/// Numbers in [-1, 1) that follow from a seed.
template <class T>
std::vector<T> numbers(Index count, std::uint64_t seed) {
    std::vector<T> result(static_cast<std::size_t>(count));
    std::uint64_t state = seed * 2 + 1;
    for (T& x : result) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        x = static_cast<T>(static_cast<double>(state >> 40) / (1 << 23) - 1);
    }
    return result;
}

/// A result with numbers around it that must stay.
template <class T>
struct Result {
    static constexpr Index margin = 32;
    std::vector<T> all;
    Index count;

    explicit Result(Index n, T start = T(0))
        : all(static_cast<std::size_t>(n + 2 * margin), start), count(n) {
        for (Index i = 0; i < margin; ++i)
            all[static_cast<std::size_t>(i)] = all[static_cast<std::size_t>(margin + n + i)] = T(7);
    }
    T* data() { return all.data() + margin; }
    T operator[](Index i) const { return all[static_cast<std::size_t>(margin + i)]; }
    bool margins_kept() const {
        for (Index i = 0; i < margin; ++i) {
            if (all[static_cast<std::size_t>(i)] != T(7) ||
                all[static_cast<std::size_t>(margin + count + i)] != T(7)) {
                return false;
            }
        }
        return true;
    }
};

/// Whether c = start + sum over k of a(i, k) b(k, j) to the error that a sum of rounded products
/// can have.
template <class T, class A, class B, class S>
bool close(const Result<T>& c, Index rows, Index columns, Index depth, A a, B b, S start) {
    const double epsilon = std::numeric_limits<T>::epsilon();
    for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) {
            double sum = start(i, j), size = std::abs(sum);
            for (Index k = 0; k < depth; ++k) {
                const double term = static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
                sum += term;
                size += std::abs(term);
            }
            const double error = std::abs(static_cast<double>(c[i * columns + j]) - sum);
            const Index part = tiles::part_of(depth);
            const auto terms = static_cast<double>(std::min(depth, part) + depth / part + 2);
            if (!(error <= epsilon * terms * size / 2)) return false;
        }
    }
    return c.margins_kept();
}

/// `size` of the rows that are left, or all if one row would be left alone.
Index piece(Index left, Index size) { return left <= size + 1 ? left : size; }

template <class T>
void check_products(Index rows, Index inputs, Index outputs) {
    const std::string shape = std::to_string(rows) + " x " + std::to_string(inputs) + " x " +
                              std::to_string(outputs) + (sizeof(T) == 4 ? " float" : " double");
    const auto check = [&](bool good, const char* what) {
        likely_test::report(good, __FILE__, __LINE__, shape + ": " + what);
    };
    const auto x = numbers<T>(rows * inputs, 1), weight = numbers<T>(inputs * outputs, 2),
               d_z = numbers<T>(rows * outputs, 3), bias = numbers<T>(outputs, 4);
    std::vector<T> scratch(static_cast<std::size_t>(gemm::scratch_size<T>()));
    const auto x_at = [&](Index i, Index k) { return x[static_cast<std::size_t>(i * inputs + k)]; };
    const auto weight_at = [&](Index k, Index j) {
        return weight[static_cast<std::size_t>(k * outputs + j)];
    };
    const auto d_z_at = [&](Index i, Index j) {
        return d_z[static_cast<std::size_t>(i * outputs + j)];
    };
    const auto nothing = [](Index, Index) { return 0.0; };

    Result<T> z(rows * outputs, T(3)), rectified(rows * outputs), pieces(rows * outputs);
    gemm::forward(x.data(), weight.data(), bias.data(), rows, inputs, outputs, z.data(),
                  scratch.data());
    check(close(z, rows, outputs, inputs, x_at, weight_at,
                [&](Index, Index j) {
                    return static_cast<double>(bias[static_cast<std::size_t>(j)]);
                }),
          "forward");
    gemm::forward(x.data(), weight.data(), bias.data(), rows, inputs, outputs, rectified.data(),
                  scratch.data(), true);
    bool right = rectified.margins_kept();
    for (Index i = 0; i < rows * outputs; ++i) right &= rectified[i] == std::max(z[i], T(0));
    check(right, "forward, rectified");
    for (Index i = 0, count; i < rows; i += count) {
        count = piece(rows - i, 16);
        gemm::forward(x.data() + i * inputs, weight.data(), bias.data(), count, inputs, outputs,
                      pieces.data() + i * outputs, scratch.data());
    }
    check(pieces.margins_kept() && std::equal(z.data(), z.data() + rows * outputs, pieces.data()),
          "forward, rows cut");

    Result<T> d_x(rows * inputs, T(3)), d_x_rectified(rows * inputs), d_x_pieces(rows * inputs);
    Result<T> d_x_sum(rows * inputs, T(3));
    const auto weight_turned = [&](Index j, Index k) { return weight_at(k, j); };
    gemm::input_gradient(d_z.data(), weight.data(), rows, inputs, outputs, false, d_x.data(),
                         scratch.data());
    check(close(d_x, rows, inputs, outputs, d_z_at, weight_turned, nothing), "input gradient");
    gemm::input_gradient(d_z.data(), weight.data(), rows, inputs, outputs, true, d_x_sum.data(),
                         scratch.data());
    check(close(d_x_sum, rows, inputs, outputs, d_z_at, weight_turned,
                [](Index, Index) { return 3.0; }),
          "input gradient, added");
    gemm::input_gradient(d_z.data(), weight.data(), rows, inputs, outputs, false,
                         d_x_rectified.data(), scratch.data(), x.data());
    right = d_x_rectified.margins_kept();
    for (Index i = 0; i < rows * inputs; ++i)
        right &= d_x_rectified[i] == (x[static_cast<std::size_t>(i)] > T(0) ? d_x[i] : T(0));
    check(right, "input gradient, through a rectifier");
    for (Index i = 0, count; i < rows; i += count) {
        count = piece(rows - i, 48);
        gemm::input_gradient(d_z.data() + i * outputs, weight.data(), count, inputs, outputs, false,
                             d_x_pieces.data() + i * inputs, scratch.data());
    }
    check(d_x_pieces.margins_kept() &&
              std::equal(d_x.data(), d_x.data() + rows * inputs, d_x_pieces.data()),
          "input gradient, rows cut");

    Result<T> d_weight(inputs * outputs, T(3)), d_weight_pieces(inputs * outputs, T(3));
    Result<T> d_bias(outputs, T(3)), d_bias_pieces(outputs, T(3));
    const auto x_turned = [&](Index i, Index k) { return x_at(k, i); };
    const auto ones = [](Index, Index) { return T(1); };
    for (const bool accumulate : {false, true}) {
        Result<T> before = d_weight, bias_before = d_bias;
        gemm::weight_gradient(x.data(), d_z.data(), rows, inputs, outputs, Index{0}, inputs,
                              accumulate, d_weight.data(), d_bias.data(), scratch.data());
        check(close(d_weight, inputs, outputs, rows, x_turned, d_z_at,
                    [&](Index i, Index j) {
                        return accumulate ? static_cast<double>(before[i * outputs + j]) : 0.0;
                    }),
              accumulate ? "weight gradient, accumulated" : "weight gradient");
        check(close(d_bias, 1, outputs, rows, ones, d_z_at,
                    [&](Index, Index j) {
                        return accumulate ? static_cast<double>(bias_before[j]) : 0.0;
                    }),
              accumulate ? "bias gradient, accumulated" : "bias gradient");
        for (Index i = 0; i < inputs; i += 32) {
            gemm::weight_gradient(x.data(), d_z.data(), rows, inputs, outputs, i,
                                  std::min<Index>(i + 32, inputs), accumulate,
                                  d_weight_pieces.data(), d_bias_pieces.data(), scratch.data());
        }
        check(d_weight_pieces.all == d_weight.all && d_bias_pieces.all == d_bias.all,
              "weight gradient, inputs cut");
    }
}

/// A product in two parts of depth is the first half's plus the second's, to the bit.
template <class T>
void check_halves(Index rows, Index inputs, Index outputs) {
    const auto x = numbers<T>(rows * inputs, 1), weight = numbers<T>(inputs * outputs, 2);
    const auto bias = numbers<T>(outputs, 3);
    std::vector<T> scratch(static_cast<std::size_t>(gemm::scratch_size<T>()));
    Result<T> whole(rows * outputs), first(rows * outputs), second(rows * outputs);
    gemm::forward(x.data(), weight.data(), bias.data(), rows, inputs, outputs, whole.data(),
                  scratch.data(), true, true);
    const Index half = half_of(inputs);
    CHECK(half % row_unit == 0 && half > 0 && half < inputs);
    for (const Piece& some : {Piece{0, half, 0}, Piece{half, inputs, 0}}) {
        gemm::forward_half(x.data(), weight.data(), bias.data(), rows, inputs, outputs, some,
                           (some.begin == 0 ? first : second).data(), scratch.data());
    }
    bool good = true;
    for (Index i = 0; i < rows * outputs; ++i)
        good &= whole[i] == std::max(first[i] + second[i], T(0));
    CHECK(good);
    CHECK(whole.margins_kept() && first.margins_kept() && second.margins_kept());
}

template <class T>
void check_all() {
    // All kinds of edges: every count up to 40 meets others that follow from it.
    for (Index a = 1; a <= 40; ++a) {
        for (Index b = 1; b <= 40; b += 1 + a % 3)
            check_products<T>(a, b, (a * 7 + b * 11) % 40 + 1);
    }
    const Index part = tiles::deepest, block = tiles::block_rows;
    for (const Index n : {1, 2, 3, 4, 5, 8, 16, 17, 33, 64}) {
        check_products<T>(n, 2 * part + 44, 7);  // more than two parts of depth
        check_products<T>(block + 44, n, 65);    // more than a block of rows
        check_products<T>(n, 65, 260);           // many panels
    }
    for (const Index n : {part - 1, part, part + 1}) check_products<T>(n, n, 2 * n);
    for (const Index width : {3, 7, 17, 33, 65, 100, 300}) {
        check_products<T>(100, width, 65);
        check_products<T>(33, 100, width);
    }
    check_products<T>(part + 1, 2 * part + 1, 194);
    check_products<T>(100, 100, 100);
    check_products<T>(1, 784, 256);
    check_products<T>(block + 1, 48, 388);
    const Index page = 4096 / static_cast<Index>(sizeof(T));
    check_products<T>(33, page, 260);      // columns of a page apart, copied
    check_products<T>(200, 2 * page, 67);  // more of them than one block has
    check_products<T>(65, 19, page);       // rows of b
    check_products<T>(block + 17, 40, page);
    for (const Index inputs : {256, 257, 271, 272, 288, 289, 300, 784, 993, 1024}) {
        for (const Index outputs : {1, 4, 64, 130, 131}) check_halves<T>(37, inputs, outputs);
        check_halves<T>(37, inputs, page);  // not copied
    }
}

}  // namespace

int main() {
    check_all<float>();
    check_all<double>();
    return finish();
}
