// Randomness as a function of a position: Philox4x64-10 (Salmon et al. 2011, "Parallel random
// numbers: as easy as 1, 2, 3").
//
// Why: initialisation, shuffles, dropout masks and samples are functions of (seed, purpose, step,
// epoch, layer, index), so that a run is reproducible at any number of threads, and resuming needs
// no hidden state. The raw words are those of `np.random.Philox(key=[seed, purpose], counter=[0,
// step, epoch, layer]).random_raw()`.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

namespace likely {

enum class Purpose : std::uint64_t { initialization = 1, shuffle = 2, dropout = 3, sample = 4 };

__extension__ using Product128 = unsigned __int128;

inline std::uint64_t high64(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>((static_cast<Product128>(a) * b) >> 64);
}

/// The two halves of a product of 128 bits.
template <class Word>
struct Product {
    Word high, low;
};

inline Product<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
    return {high64(a, b), a * b};
}

class Philox {
  public:
    Philox(std::uint64_t seed, Purpose purpose, std::uint64_t step = 0, std::uint64_t epoch = 0,
           std::uint64_t layer = 0)
        : key_{seed, static_cast<std::uint64_t>(purpose)},
          step_(step),
          epoch_(epoch),
          layer_(layer) {}

    /// Word `index` of this position; neighbouring indices share a block of four words.
    std::uint64_t word(std::uint64_t index) {
        const std::uint64_t number = index / 4;
        if (number != cached_block_) {
            words_ = block(number);
            cached_block_ = number;
        }
        return words_[index % 4];
    }

    /// Words 4 number .. 4 number + 3.
    std::array<std::uint64_t, 4> block(std::uint64_t number) const { return blocks<1>(number)[0]; }

    /// Several blocks from `number` on; two at a time are the fastest, since a round waits for the
    /// one before it.
    template <std::size_t Count>
    std::array<std::array<std::uint64_t, 4>, Count> blocks(std::uint64_t number) const {
        std::array<std::uint64_t, Count> numbers;
        for (std::size_t i = 0; i < Count; ++i) numbers[i] = number + i;
        return blocks_of(numbers);
    }

    /// The blocks of these numbers. A Word may hold one number or several, with the operators +
    /// and ^ and `multiply`.
    template <class Word, std::size_t Count>
    [[gnu::always_inline]] std::array<std::array<Word, 4>, Count> blocks_of(
        const std::array<Word, Count>& numbers) const {
        std::array<std::array<Word, 4>, Count> all;
        for (std::size_t i = 0; i < Count; ++i)
            all[i] = {numbers[i] + Word(1), Word(step_), Word(epoch_), Word(layer_)};
        auto [k0, k1] = key_;
        for (int round = 0; round < 10; ++round) {
            constexpr std::uint64_t m0 = 0xD2E7470EE14C6C93, m1 = 0xCA5A826395121157;
            for (auto& c : all) {
                const Product<Word> by_0 = multiply(m0, c[0]), by_1 = multiply(m1, c[2]);
                c = {by_1.high ^ c[1] ^ Word(k0), by_1.low, by_0.high ^ c[3] ^ Word(k1), by_0.low};
            }
            k0 += 0x9E3779B97F4A7C15;
            k1 += 0xBB67AE8584CAA73B;
        }
        return all;
    }

  private:
    std::array<std::uint64_t, 2> key_;
    std::uint64_t step_, epoch_, layer_;
    std::uint64_t cached_block_ = ~std::uint64_t{0};
    std::array<std::uint64_t, 4> words_{};
};

/// A number in (0, 1), never an end, with as many bits as T holds.
template <class T>
double uniform(std::uint64_t word) {
    if constexpr (std::is_same_v<T, float>) {
        return (static_cast<double>(word >> 41) + 0.5) * 0x1p-23;
    } else {
        return (static_cast<double>(word >> 12) + 0.5) * 0x1p-52;
    }
}

}  // namespace likely
