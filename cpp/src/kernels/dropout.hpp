// Dropout: masks as a function of their position (docs/conventions.md), four a random word.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "matrices.hpp"
#include "random.hpp"

namespace likely::kernels_detail {

/// Calls `use(first, masks, count)` for `total` masks, 0 or `scale`, from element `start` of the
/// batch on, a few hundred at a time.
template <class T, class Use>
void for_dropout_masks(const Philox& random, std::uint32_t kept_below, T scale, std::int64_t start,
                       std::int64_t total, Use&& use) {
    static_assert(std::endian::native == std::endian::little);
    constexpr std::int64_t fields_a_block = 16, at_once = 512;
    static_assert(at_once % (blocks_at_once * fields_a_block) == 0);
    const auto last_kept = static_cast<std::uint16_t>(kept_below - 1);  // a comparison of 16 bits
    std::array<std::uint16_t, at_once> fields{};
    std::array<T, at_once> masks;
    for (std::int64_t done = 0; done < total;) {
        const std::int64_t skipped = (start + done) % fields_a_block;
        const std::int64_t block = (start + done) / fields_a_block;
        const std::int64_t count = std::min(at_once - skipped, total - done);
        for (std::int64_t i = 0; i < skipped + count; i += blocks_at_once * fields_a_block) {
            std::array<std::uint64_t, 4 * blocks_at_once> words;
            write_words(random, static_cast<std::uint64_t>(block + i / fields_a_block),
                        words.data());
            std::memcpy(fields.data() + i, words.data(), sizeof words);
        }
        for (std::size_t i = 0; i < masks.size(); ++i)
            masks[i] = fields[i] <= last_kept ? scale : T(0);
        use(done, masks.data() + skipped, count);
        done += count;
    }
}

template <class T>
void forward(const DropoutStep& step, const Mode<T>& mode, const T*, const Matrices<T>& matrices,
             const Piece& rows, T*) {
    const std::int64_t begin = rows.begin * step.width, total = rows.size() * step.width;
    const T* source = matrices.source(step.source) + begin;
    T* value = matrices.at(step.value) + begin;
    if (!mode.training) {
        std::copy_n(source, total, value);
        return;
    }
    const TrainingPosition& position = *mode.training;
    for_dropout_masks(Philox(position.seed, Purpose::dropout, position.step, position.epoch,
                             static_cast<std::uint64_t>(step.use)),
                      step.kept_below, static_cast<T>(65536.0 / step.kept_below),
                      position.first_row * step.width + begin, total,
                      [&](std::int64_t first, const T* masks, std::int64_t count) {
                          transform<T>(
                              count, value + first, [](Lanes<T> x, Lanes<T> m) { return x * m; },
                              source + first, masks);
                          if (step.mask != none)
                              std::copy_n(masks, count, matrices.at(step.mask) + begin + first);
                      });
}

/// `d_value` becomes d loss / d source.
template <class T>
void backward(const DropoutStep& step, const Mode<T>& mode, const Matrices<T>& matrices,
              const Piece& rows, T* d_value) {
    if (!mode.training) return;
    const std::int64_t begin = rows.begin * step.width;
    transform<T>(
        rows.size() * step.width, d_value + begin, [](Lanes<T> d, Lanes<T> m) { return d * m; },
        static_cast<const T*>(d_value + begin),
        static_cast<const T*>(matrices.at(step.mask) + begin));
}

}  // namespace likely::kernels_detail
