// The order of the rows in an epoch: forward Fisher-Yates (Durstenfeld 1964).
#include <algorithm>
#include <utility>

#include "kernels.hpp"
#include "random.hpp"

namespace likely::kernels_detail {

void shuffle(const Philox& random, std::int64_t rows, std::int64_t* order) {
    constexpr std::int64_t at_once = 4 * blocks_at_once;
    std::array<std::uint64_t, at_once> words;
    for (std::int64_t i = 0; i < rows; ++i) order[i] = i;
    for (std::int64_t begin = 0; begin < rows; begin += at_once) {
        write_words(random, static_cast<std::uint64_t>(begin / 4), words.data());
        const std::int64_t end = std::min(rows - 1, begin + at_once);
        for (std::int64_t i = begin; i < end; ++i) {
            const std::uint64_t further = high64(words[static_cast<std::size_t>(i - begin)],
                                                 static_cast<std::uint64_t>(rows - i));
            std::swap(order[i], order[i + static_cast<std::int64_t>(further)]);
        }
    }
}

}  // namespace likely::kernels_detail
