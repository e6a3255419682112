// Random words by the register.
//
// Why: a word of Philox is five products of 64 by 64 bits, each waiting for the one before it. With
// registers of 512 bits sixteen blocks go side by side, at half the time of two.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "../rng.hpp"
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace likely::kernels_detail {

#if defined(__AVX512F__)

/// Eight words, each of another block.
struct Words {
    static constexpr std::int64_t count = 8;
    typedef std::uint64_t Vector __attribute__((vector_size(8 * count)));
    Vector v;

    Words() = default;
    Words(Vector vector) : v(vector) {}
    explicit Words(std::uint64_t word) : v(Vector{} + word) {}
    static Words from(std::uint64_t first) { return Vector{0, 1, 2, 3, 4, 5, 6, 7} + first; }

    friend Words operator+(Words a, Words b) { return a.v + b.v; }
    friend Words operator^(Words a, Words b) { return a.v ^ b.v; }
    friend Words operator>>(Words a, int bits) { return a.v >> bits; }
    /// Products of the lower halves.
    friend Words operator*(Words a, Words b) {
        return std::bit_cast<Vector>(
            _mm512_mul_epu32(std::bit_cast<__m512i>(a.v), std::bit_cast<__m512i>(b.v)));
    }
};

/// By four products of halves.
[[gnu::always_inline]] inline Product<Words> multiply(std::uint64_t a, Words b) {
    const Words::Vector lower = Words(0xFFFFFFFF).v;
    const Words a_low(a), a_high(a >> 32), b_high = b >> 32, low = a_low * b;
    const Words middle = a_low * b_high + (low >> 32);
    const Words carry = a_high * b + Words(middle.v & lower);
    return {a_high * b_high + (middle >> 32) + (carry >> 32), (carry.v << 32) | (low.v & lower)};
}

/// Blocks that `write_words` makes at a time.
inline constexpr std::int64_t blocks_at_once = 2 * Words::count;

/// The words of `blocks_at_once` blocks from `number` on, in order.
inline void write_words(const Philox& random, std::uint64_t number, std::uint64_t* out) {
    const auto all = random.blocks_of(
        std::array{Words::from(number), Words::from(number + static_cast<unsigned>(Words::count))});
    const auto pick = [](Words a, Words b, Words::Vector from) {
        return Words(std::bit_cast<Words::Vector>(
            _mm512_permutex2var_epi64(std::bit_cast<__m512i>(a.v), std::bit_cast<__m512i>(from),
                                      std::bit_cast<__m512i>(b.v))));
    };
    for (const auto& c : all) {
        for (std::uint64_t half = 0; half < 8; half += 4) {  // blocks of the register
            const Words::Vector side_by_side = Words::Vector{0, 8, 1, 9, 2, 10, 3, 11} + half;
            const Words first = pick(c[0], c[1], side_by_side);
            const Words second = pick(c[2], c[3], side_by_side);
            const Words two[] = {pick(first, second, Words::Vector{0, 1, 8, 9, 2, 3, 10, 11}),
                                 pick(first, second, Words::Vector{4, 5, 12, 13, 6, 7, 14, 15})};
            std::memcpy(out, two, sizeof two);
            out += 2 * Words::count;
        }
    }
}

#else

inline constexpr std::int64_t blocks_at_once = 2;

inline void write_words(const Philox& random, std::uint64_t number, std::uint64_t* out) {
    const auto words = random.blocks<blocks_at_once>(number);
    std::memcpy(out, words.data(), sizeof words);
}

#endif

}  // namespace likely::kernels_detail
