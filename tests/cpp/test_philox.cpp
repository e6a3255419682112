// Random numbers as functions of their position: the words are NumPy's, uniforms are never an end,
// a shuffle is a permutation.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "kernels/table.hpp"

using namespace likely;

namespace {

/// Expected words: np.random.Philox(key=[seed, purpose], counter=[0, step, epoch, layer])
/// .random_raw(n) of NumPy 2.4, with key and counter as uint64 arrays.
void test_words() {
    const std::uint64_t first[] = {0xd037f8c3f9a1d176, 0xc057419b4c210765, 0xabf13115117b0065,
                                   0x7bae035dea6ea5c0, 0xb487ac82e7ddd46f, 0x45e81edba7c59426,
                                   0xd0a3831ebe9a338c, 0x90194c97f11d0dc3, 0x90cae1e1aecc68a9,
                                   0xf0225240a9b3019f};
    Philox zero(0, Purpose::initialization);
    for (std::uint64_t i = 0; i < std::size(first); ++i) CHECK(zero.word(i) == first[i]);

    const std::uint64_t other[] = {0x4b222d8783694c45, 0xf89083e796db1b9c, 0x2ca937b63bf9a175,
                                   0xbac504375e87d255, 0x10f8c637354c3a7f, 0xc8760ef3d790d192,
                                   0xda6fbb05d29c5505, 0x585aee145d8542bb, 0x8dac9ca61626df90,
                                   0x622c6bbe1e5c352c};
    Philox largest_seed(~std::uint64_t{0}, Purpose::shuffle, 3, 5, 7);
    for (std::uint64_t i = 0; i < std::size(other); ++i) CHECK(largest_seed.word(i) == other[i]);

    Philox far(12345, Purpose::sample);
    CHECK(far.word(100'000) == 0xe73ddcaaf83c57c1);
    CHECK(far.word(99'999) == 0xd42ea08cbad0cf57);  // backwards, into another block
}

void test_position() {
    // Every part of a position matters, and words do not depend on the order they are asked in.
    const auto word = [](Philox random, std::uint64_t index) { return random.word(index); };
    const std::uint64_t base = word({7, Purpose::sample, 1, 2, 3}, 5);
    CHECK(word({8, Purpose::sample, 1, 2, 3}, 5) != base);
    CHECK(word({7, Purpose::dropout, 1, 2, 3}, 5) != base);
    CHECK(word({7, Purpose::sample, 0, 2, 3}, 5) != base);
    CHECK(word({7, Purpose::sample, 1, 0, 3}, 5) != base);
    CHECK(word({7, Purpose::sample, 1, 2, 0}, 5) != base);
    CHECK(word({7, Purpose::sample, 1, 2, 3}, 4) != base);

    Philox there(7, Purpose::sample), back(7, Purpose::sample);
    std::vector<std::uint64_t> forward(13), backward(13);
    for (std::size_t i = 0; i < 13; ++i) forward[i] = there.word(i);
    for (std::size_t i = 13; i-- > 0;) backward[i] = back.word(i);
    CHECK(forward == backward);
}

template <class T>
void test_uniform() {
    const std::uint64_t words[] = {0,
                                   1,
                                   ~std::uint64_t{0},
                                   ~std::uint64_t{0} - 1,
                                   std::uint64_t{1} << 63,
                                   (std::uint64_t{1} << 63) - 1};
    for (const std::uint64_t word : words) {
        const double u = uniform<T>(word);
        CHECK(u > 0 && u < 1);
        CHECK(static_cast<double>(static_cast<T>(u)) == u);  // exact in the network's precision
    }
    CHECK(uniform<T>(0) + uniform<T>(~std::uint64_t{0}) == 1);  // symmetric about 1/2

    Philox random(1, Purpose::sample);
    constexpr std::uint64_t count = 100'000;
    double sum = 0, squares = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const double u = uniform<T>(random.word(i));
        sum += u;
        squares += u * u;
    }
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    CHECK(mean > 0.495 && mean < 0.505);  // five standard errors
    CHECK(variance > 1 / 12.0 - 1e-3 && variance < 1 / 12.0 + 1e-3);
}

void test_shuffle() {
    // tests/reference/philox.py: shuffle(10, seed=7, epoch=3).
    const std::vector<std::int64_t> expected = {9, 3, 5, 2, 7, 8, 6, 1, 4, 0};
    std::vector<std::int64_t> order(10);
    kernel_table().shuffle(Philox(7, Purpose::shuffle, 0, 3), 10, order.data());
    CHECK(order == expected);

    for (const std::int64_t n : {0, 1, 2, 3, 1000}) {
        std::vector<std::int64_t> rows(static_cast<std::size_t>(n)), all(rows.size());
        kernel_table().shuffle(Philox(1, Purpose::shuffle), n, rows.data());
        std::ranges::sort(rows);
        std::iota(all.begin(), all.end(), 0);
        CHECK(rows == all);
    }

    // The words of several blocks at a time are those of one after the other.
    for (std::int64_t n = 1; n < 300; n += 7) {
        Philox random(~std::uint64_t{0}, Purpose::shuffle, 0, 12);
        std::vector<std::int64_t> rows(static_cast<std::size_t>(n)), one_by_one(rows.size());
        kernel_table().shuffle(random, n, rows.data());
        std::iota(one_by_one.begin(), one_by_one.end(), 0);
        for (std::size_t i = 0; i + 1 < rows.size(); ++i)
            std::swap(one_by_one[i], one_by_one[i + high64(random.word(i), rows.size() - i)]);
        CHECK(rows == one_by_one);
    }

    // Each of the six orders of three comes about as often.
    std::vector<int> seen(6);
    for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) {
        std::int64_t rows[3];
        kernel_table().shuffle(Philox(0, Purpose::shuffle, 0, epoch), 3, rows);
        ++seen[static_cast<std::size_t>(2 * rows[0] + (rows[1] > rows[2]))];
    }
    for (const int count : seen) CHECK(count > 850 && count < 1150);  // five standard errors
}

}  // namespace

int main() {
    test_words();
    test_position();
    test_uniform<float>();
    test_uniform<double>();
    test_shuffle();
    return finish();
}
