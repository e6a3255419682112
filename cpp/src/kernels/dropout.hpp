// Dropout: masks as a function of their position (docs/conventions.md), four a random word.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "../rng.hpp"
#include "matrices.hpp"

namespace likely::kernels_detail {

/// `count` masks, 0 or `scale`, from element `first` of the batch on.
template <class T>
void dropout_masks(const Philox& random, std::uint32_t kept_below, T scale, std::int64_t first,
                   std::int64_t count, T* mask) {
    static_assert(std::endian::native == std::endian::little);
    constexpr std::int64_t a_block = 16;
    const auto masks_of = [&](std::int64_t number) {
        const auto words = random.block(static_cast<std::uint64_t>(number));
        std::array<std::uint16_t, a_block> fields;
        std::memcpy(fields.data(), words.data(), sizeof fields);
        std::array<T, a_block> masks;
        for (std::size_t i = 0; i < masks.size(); ++i) {
            masks[i] = fields[i] < kept_below ? scale : T(0);
        }
        return masks;
    };
    std::int64_t done = 0;
    if (const std::int64_t skipped = first % a_block; skipped > 0) {
        done = std::min(count, a_block - skipped);
        std::copy_n(masks_of(first / a_block).data() + skipped, done, mask);
    }
    for (; done + a_block <= count; done += a_block) {
        const auto masks = masks_of((first + done) / a_block);
        std::memcpy(mask + done, masks.data(), sizeof masks);
    }
    if (done < count)
        std::copy_n(masks_of((first + done) / a_block).data(), count - done, mask + done);
}

template <class T>
void forward(const DropoutStep& step, const Mode<T>& mode, const T*, const Matrices<T>& matrices,
             std::int64_t rows, T*) {
    const T* source = matrices.source(step.source);
    T* value = matrices.at(step.value);
    const std::int64_t count = rows * step.width;
    if (!mode.training) {
        std::copy_n(source, count, value);
        return;
    }
    const TrainingPosition& position = *mode.training;
    T* mask = matrices.at(step.mask);
    dropout_masks(Philox(position.seed, Purpose::dropout, position.step, position.epoch,
                         static_cast<std::uint64_t>(step.use)),
                  step.kept_below, static_cast<T>(65536.0 / step.kept_below),
                  position.first_row * step.width, count, mask);
    transform<T>(
        count, value, [](Lanes<T> x, Lanes<T> m) { return x * m; }, source,
        static_cast<const T*>(mask));
}

/// `d_value` becomes d loss / d source.
template <class T>
void backward(const DropoutStep& step, const Mode<T>& mode, const Matrices<T>& matrices,
              std::int64_t rows, T* d_value) {
    if (!mode.training) return;
    transform<T>(
        rows * step.width, d_value, [](Lanes<T> d, Lanes<T> m) { return d * m; },
        static_cast<const T*>(d_value), static_cast<const T*>(matrices.at(step.mask)));
}

}  // namespace likely::kernels_detail
